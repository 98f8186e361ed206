"""Is this machine fit for the work? Checks one after the other, each with its remedy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.checks import graphics, machine, models, network, software, terminal
from engine.checks.finding import Findings, Level, Surroundings, TerminalFacts
from engine.errors import StopRequested
from engine.hub import never_stop
from engine.nvml import Nvml
from engine.text import clean

__all__ = ["LOOKS", "Check", "Level", "TerminalFacts", "checks"]


@dataclass(frozen=True)
class Check:
    """A line of the doctor. `remedy` is what to do, "" where nothing is to be done."""

    name: str
    group: str
    level: Level
    seen: str
    remedy: str


# Group, name, and the function that looks.
Look = tuple[str, str, Callable[[Surroundings], Findings]]

# What takes long, because it loads torch in a process of its own, comes last.
LOOKS: tuple[Look, ...] = (
    ("GPU", "driver", graphics.driver),
    ("GPU", "cards", graphics.cards),
    ("Machine", "memory", machine.ram),
    ("Machine", "/dev/shm", machine.shared_memory),
    ("Machine", "open files", machine.open_files),
    ("Machine", "disk", machine.disks),
    ("Terminal", "size", terminal.size),
    ("Terminal", "colours", terminal.colours),
    ("Terminal", "letters", terminal.letters),
    ("Terminal", "tmux", terminal.tmux),
    ("Terminal", "clipboard", terminal.clipboard),
    ("Models", "folders", models.folders),
    ("Models", "XTTS bases", models.bases),
    ("Models", "speech models", models.recognisers),
    ("Network", "proxy", network.proxies),
    ("Network", "token", network.token),
    ("Network", "model hub", network.reachable),
    ("Software", "python", software.python),
    ("Software", "torch family", software.torch_family),
    ("Software", "packages", software.pins),
    ("Try-outs", "audio files", software.audio),
    ("Try-outs", "torch", software.torch),
    ("Try-outs", "torch on GPU", graphics.operation),
    ("Try-outs", "ASR on GPU", graphics.recognition),
)


def checks(
    folder: Path | None,
    facts: TerminalFacts,
    *,
    check: Callable[[], None] = never_stop,
    environment: Mapping[str, str] = os.environ,
    nvml: Nvml | None = None,
    looks: Sequence[Look] = LOOKS,
) -> Iterator[Check]:
    """Look at everything, lazily: each check comes as soon as it is known.

    `folder` is where a project is or will be, None leaves that out. `check` is called ten times a
    second while a try-out runs, and may raise StopRequested. Nothing else is ever raised: what
    breaks a check is a failure with its name. Nothing is printed and torch is not imported here.
    """
    at = Surroundings(folder, facts, environment, check, nvml)
    for look in looks:
        check()
        yield from _boundary(look, at)


def _boundary(look: Look, at: Surroundings) -> Iterator[Check]:
    group, name, find = look
    try:
        for found in find(at):
            yield Check(found.name or name, group, found.level, found.seen, found.remedy)
    except StopRequested:
        raise
    except Exception as error:  # noqa: BLE001 - one check that breaks must not end the others
        text = clean(str(error)) or "no more is known"
        yield Check(
            name,
            group,
            "failure",
            f"this check itself failed: {type(error).__name__}: {text}",
            "Send this line to the makers of voicetui, with the output of 'voicetui doctor --json'.",
        )
