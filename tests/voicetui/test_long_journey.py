"""From an empty home to an exported voice, by keyboard alone, in a real tmux at 80x24.

Takes some minutes, so it has its own command: `uv run pytest -m long`.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from helpers_terminal import wait_until
from helpers_tmux import VOICETUI, Tmux

from engine.dataset import clips
from engine.eventlog import read_all
from engine.events import Step
from engine.status import RunState, read_state
from engine.xtts import random_base

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]


@pytest.fixture
def tmux(home: Path) -> Iterator[Tmux]:
    window = Tmux({"HOME": str(home), "TERM": "screen-256color"})
    yield window
    window.close()


def steps(run: Path) -> int:
    return sum(isinstance(record.event, Step) for record in read_all(run / "events.jsonl"))


def ended(run: Path) -> RunState:
    """The state of a run that is about to end."""
    wait_until(lambda: read_state(run).ended, "the end of the run", 60)
    return read_state(run)


def test_from_an_empty_home_to_an_exported_voice(tmux: Tmux, tmp_path: Path) -> None:
    recordings, base = tmp_path / "recordings", tmp_path / "base"
    recordings.mkdir()
    for entry in (resources.files("voicetui.demo") / "speech").iterdir():
        if entry.name.endswith((".ogg", ".flac", ".mp3")):
            (recordings / entry.name).write_bytes(entry.read_bytes())
    random_base.make(base)
    voice = tmp_path / "anna"
    run = voice / "runs" / "0001"

    # The wizard.
    tmux.type("cd", str(tmp_path))
    tmux.type(VOICETUI)
    tmux.wait_for("begins a new voice")
    tmux.press("n")
    tmux.wait_for("type to search")
    tmux.write("Anna")
    tmux.press("Tab")
    tmux.write("english")
    tmux.press("Tab", "Tab")
    tmux.wait_for("Nothing is chosen yet")
    tmux.press("t")
    tmux.wait_for("Its path on this machine")
    tmux.write(str(recordings))
    tmux.press("Enter")
    tmux.wait_for("3 files")
    tmux.press("C-n")
    tmux.wait_for("xtts-v2.0.3")
    tmux.press("o")
    tmux.wait_for("A folder with an XTTS base")
    tmux.press("t")
    tmux.write(str(base))
    tmux.press("Enter")
    tmux.wait_for("✓ model.pth")
    tmux.press("C-n")
    tmux.wait_for("standard")
    tmux.press("C-n")
    tmux.wait_for("batch_size")
    tmux.press("C-n")
    tmux.wait_for("The same by a command")
    tmux.press("Enter")
    tmux.wait_for("Anna is made")

    # Preparation and review.
    tmux.press("p")
    tmux.wait_for("Preparing for")
    tmux.wait_for("Prepared.", 180)
    before = clips.read(voice / "dataset")
    tmux.press("1")
    tmux.wait_for("sure")
    tmux.press("g", "d")
    tmux.wait_for("by hand")
    tmux.press("d")
    tmux.wait_for("u undoes")
    tmux.press("u", "U")
    tmux.press("q")
    tmux.wait_for("next step")
    tmux.press("d")
    tmux.wait_for("sure")
    after = clips.read(voice / "dataset")
    dropped = [sum(clip.state == "dropped" for clip in listed) for listed in (before, after)]
    assert dropped[1] == dropped[0] + 1

    # Training: the terminal is lost, the run goes on, and another shell shows it.
    tmux.press("T")
    tmux.wait_for("No training run yet")
    tmux.press("c")
    wait_until(lambda: run.is_dir() and steps(run) > 5, "steps", 120)
    tmux.wait_for("running")
    tmux.new_window()
    tmux.close_window(0)
    seen = steps(run)
    wait_until(lambda: steps(run) > seen + 5, "steps without a terminal", 60)
    tmux.type(VOICETUI, "attach", str(voice))
    tmux.wait_for("running")
    tmux.press("s")
    wait_until(lambda: read_state(run).saved_step, "a checkpoint", 60)
    tmux.press("x")
    tmux.wait_for("stop it safely")
    tmux.press("x")
    assert ended(run).state == "stopped"

    # One key goes on; killed, it goes on again.
    tmux.wait_for("stopped")
    tmux.press("c")
    tmux.wait_for("running")
    seen = steps(run)
    wait_until(lambda: steps(run) > seen + 3, "more steps", 120)
    os.kill(read_state(run).pid, signal.SIGKILL)
    # Killed, the console could not give the terminal back.
    tmux.type("reset")
    tmux.wait_for("bash-")
    tmux.type(VOICETUI, str(voice))
    tmux.wait_for("crashed")
    tmux.press("c")
    tmux.wait_for("running")
    seen = steps(run)
    wait_until(lambda: steps(run) > seen + 3, "steps after the crash", 120)
    tmux.press("C-c")
    assert ended(run).reason == "SIGINT"

    # Export.
    tmux.wait_for("bash-")
    tmux.type(VOICETUI, str(voice))
    tmux.wait_for("■ stopped")
    tmux.press("o")
    tmux.wait_for("Export which checkpoint")
    tmux.press("b")
    tmux.wait_for("be called")
    tmux.press("Enter")
    tmux.wait_for("The voice is exported", 120)
    assert (voice / "export" / "Anna" / "model.pth").is_file()
    tmux.press("q", "q", "q")
    tmux.wait_for("bash-")
    tmux.type("echo", "back", "in", "the", "shell")
    tmux.wait_for("\nback in the shell")
