"""What the tensors of a weights file say about it; names of files are never looked at."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

What = Literal[
    "generator",
    "discriminator",
    "voice",
    "xtts model",
    "xtts dvae",
    "xtts mel stats",
    "xtts speakers",
    "other",
]
_REFINE = "RefineGAN"


@dataclass(frozen=True)
class Facts:
    """A weights file that was read.

    `rate` is in Hz; it, `version`, `pitch`, `speakers` and `vocoder` are 0, "" or None where the
    tensors do not say. `bytes` counts tensors only. `vocoder` is "HiFi-GAN", "MRF HiFi-GAN" or
    "RefineGAN", as Applio calls them. `leftovers` are harmless traces of training ("optimizer",
    "iteration 1200"); `problems` are reasons not to use it. Both hold text from the file, cleaned.
    """

    what: What
    tensors: int
    parameters: int
    bytes: int
    precision: str
    version: Literal["v1", "v2", ""] = ""
    rate: int = 0
    pitch: bool | None = None
    speakers: int | None = None
    vocoder: str = ""
    iteration: int | None = None
    leftovers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def facts_from(table: Mapping[str, Any]) -> Facts:
    """The facts that `dataclasses.asdict` and JSON made a table of; unknown keys are left out."""
    known = {field.name for field in dataclasses.fields(Facts)}
    values = {key: value for key, value in table.items() if key in known}
    for key in ("leftovers", "problems"):
        values[key] = tuple(values.get(key, ()))
    return Facts(**values)


def belong(g: Facts, d: Facts) -> tuple[str, ...]:
    """Reasons why two files are not the generator and the discriminator of one pretrain.

    Empty when they can be. A discriminator is the same for every rate, with pitch and without, so
    nothing tells to which of them it belongs.
    """
    if (g.what, d.what) == ("discriminator", "generator"):
        return ("they are swapped: the first is a discriminator, the second a generator",)
    reasons = [
        f"the {place} is {_a(facts.what)}, not a {wanted}"
        for place, facts, wanted in (("first", g, "generator"), ("second", d, "discriminator"))
        if facts.what != wanted
    ]
    if reasons:
        return tuple(reasons)
    if (g.vocoder == _REFINE) != (d.vocoder == _REFINE):
        reasons.append(
            f"the generator is for {g.vocoder or 'another vocoder'}, "
            f"the discriminator for {d.vocoder or 'HiFi-GAN'}"
        )
    elif d.vocoder != _REFINE and g.version != d.version:
        reasons.append(
            f"the generator is of RVC {g.version or 'in no known version'}, "
            f"the discriminator of RVC {d.version or 'in no known version'}"
        )
    if g.precision != d.precision:
        reasons.append(f"one was saved in {g.precision}, the other in {d.precision}")
    if None not in (g.iteration, d.iteration) and g.iteration != d.iteration:
        reasons.append(
            f"the generator was saved at epoch {g.iteration:,}, "
            f"the discriminator at epoch {d.iteration:,}"
        )
    return tuple(reasons)


def _a(what: What) -> str:
    if what == "other":
        return "no file of a pretrain"
    return f"an {what}" if what.startswith("xtts") else f"a {what}"
