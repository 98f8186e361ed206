"""What the tensors of a weights file say about it; names of files are never looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

What = Literal["generator", "discriminator", "voice", "xtts model", "xtts dvae", "other"]


@dataclass(frozen=True)
class Facts:
    """A weights file that was read.

    `rate` is in Hz; it, `version`, `pitch`, `speakers` and `vocoder` are 0, "" or None where the
    tensors do not say. `bytes` counts tensors only. `leftovers` are harmless traces of training
    ("optimizer", "iteration 1200"); `problems` are reasons not to use it.
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
