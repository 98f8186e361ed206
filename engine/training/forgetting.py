"""How much of the earlier voices a network forgets while it learns another one.

Each earlier voice left a few held-out clips in the base. They are measured before the first step and
at every evaluation; what they cost more than at first is what was forgotten.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.eventlog import jsonable
from engine.events import Event, Stage, VoiceEvaluated, Warned, number
from engine.files import write_json
from engine.text import clean
from engine.training.losses import Measured

if TYPE_CHECKING:
    from engine.training.task import Task

FILE_NAME = "earlier_voices.json"
# A voice that costs 5 % more than at first is clearly worse: several times what the loss of half a
# minute of speech wavers by from one evaluation to the next.
CLEARLY_WORSE = 0.05

Measure = Callable[["Task"], Measured]


@dataclass(frozen=True)
class EarlierVoice:
    """A voice of the base. `key` changes with its clips and with the base."""

    name: str
    clips: int
    key: str
    task: Task


class Forgetting:
    """The losses of the earlier voices of a run, beside those before it began.

    The latter lie in the run's folder, since a resumed run no longer has those weights.
    """

    def __init__(
        self, voices: Sequence[EarlierVoice], run: Path, emit: Callable[[Event], None]
    ) -> None:
        self._voices, self._path, self._emit = voices, run / FILE_NAME, emit
        self._first: dict[str, Mapping[str, float]] = {}
        self._told: set[str] = set()

    def begin(self, measure: Measure) -> None:
        """Take the first losses from the run, or measure and keep them.

        Call it before anything is trained or restored.
        """
        if not self._voices:
            return
        known = self._read()
        if all(voice.key in known for voice in self._voices):
            self._first = {voice.name: known[voice.key] for voice in self._voices}
            return
        self._emit(Stage("earlier voices"))
        found = self.measure(measure)
        self._first = {voice.name: found[voice.name].ce for voice in self._voices}
        first = {voice.key: self._first[voice.name] for voice in self._voices}
        write_json(self._path, jsonable({"format": 1, "first": first}))
        self.tell(found, 0, 0)

    def measure(self, measure: Measure) -> dict[str, Measured]:
        """The losses of each earlier voice with the weights of now."""
        return {voice.name: measure(voice.task) for voice in self._voices}

    def tell(self, found: Mapping[str, Measured], step: int, epoch: int) -> None:
        """Tell the losses after a step of an epoch, and warn once of each voice that fades."""
        for voice in self._voices:
            now = found[voice.name]
            first = sum(
                voice.task.weights[term] * ce for term, ce in self._first[voice.name].items()
            )
            change = now.loss - first
            self._emit(
                VoiceEvaluated(
                    voice.name, step, epoch, voice.clips, now.loss, **_ce(now), first=first,
                    change=change,
                )
            )  # fmt: skip
            # A loss that is not a number is told of by the evaluation itself.
            worse = change / first if first else 0.0
            if math.isfinite(worse) and worse >= CLEARLY_WORSE and voice.name not in self._told:
                self._told.add(voice.name)
                self._emit(_warning(voice.name, now.loss, first, worse))

    def _read(self) -> dict[str, Mapping[str, float]]:
        if not self._path.is_file():
            return {}
        try:
            first = json.loads(self._path.read_bytes())["first"]
            return {
                key: {term: float(number(ce)) for term, ce in losses.items()}
                for key, losses in first.items()
            }
        except (ValueError, KeyError, TypeError, AttributeError):
            # They are measured again, which gives the same numbers.
            return {}


def _ce(found: Measured) -> dict[str, float]:
    return {f"{term}_ce": value for term, value in found.ce.items()}


def _warning(voice: str, loss: float, first: float, worse: float) -> Warned:
    return Warned(
        "forgetting",
        f"The loss of the earlier voice {clean(voice)} rose by {worse:.0%} since this training began "
        f"({first:.3f} to {loss:.3f}).",
        "The network forgets that voice: it will speak less like itself and less clearly with this "
        "model. Its own export keeps it as it was.",
        "If you need both voices in one model: fewer epochs, a lower learning_rate (a half), or mix "
        "recordings of that voice into the sources. If only the new one matters, nothing.",
    )
