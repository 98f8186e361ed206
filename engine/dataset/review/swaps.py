"""Edits that cut audio: which new clips take the place of which, with their wavs written.

Call these within a lease of the store, so that no number is given twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.dataset.clips import Clip, Reason, Split, as_row
from engine.dataset.derive import mark
from engine.dataset.edits import Swap
from engine.dataset.review import recut, texts
from engine.dataset.review.recut import Piece
from engine.errors import InputError
from engine.project import Project

if TYPE_CHECKING:
    from engine.dataset.judge import Tokenizer


class Cutter:
    """Cuts clips of one project. `side` gives the set of a clip that is in none."""

    def __init__(
        self, project: Project, tokenizer: Tokenizer | None, side: Callable[[Clip], Split]
    ) -> None:
        self._project = project
        self._settings = project.settings.dataset
        self._tokenizer = tokenizer
        self._side = side
        self._number = recut.next_number(project.dataset_dir)

    def split(self, clip: Clip, at: float, stem: str, taken: Collection[str]) -> Swap:
        """Two clips from one at a time in seconds of the recording. Raises InputError."""
        samples = recut.audio(self._project, clip)
        left, right = recut.split(clip, samples, at, self._settings.min_clip_seconds)
        right = replace(right, clip=_named(right.clip, taken))
        return self._written([clip], [left, right], stem)

    def merge(self, left: Clip, right: Clip, stem: str) -> Swap:
        """One clip from two that follow each other. Raises InputError."""
        piece = recut.merge(self._project, left, right)
        verdict = texts.check(piece.clip.text, self._tokenizer, self._settings.max_text_tokens)
        if not verdict.ok and piece.clip.state != "dropped":
            raise InputError(verdict.message)
        return self._written([left, right], [piece], stem)

    def accept(self, lost: Sequence[Clip], stem: str) -> list[Swap]:
        """Dropped clips of one recording without a wav, in time order, cut and kept."""
        return [
            self._written([piece.clip], [replace(piece, clip=_accepted(piece.clip))], stem)
            for piece in recut.rescue(self._project, lost)
        ]

    def _written(self, removed: Sequence[Clip], pieces: Sequence[Piece], stem: str) -> Swap:
        added = []
        for piece in pieces:
            settled = replace(piece, clip=self._settled(piece.clip))
            added.append(recut.write(self._project, settled, self._number, stem))
            self._number += 1
        return Swap(tuple(as_row(clip) for clip in removed), tuple(as_row(clip) for clip in added))

    def _settled(self, clip: Clip) -> Clip:
        """The clip with its set and its number of tokens."""
        if self._tokenizer is not None and clip.text:
            tokens = self._tokenizer.count(clip.text)
            clip = replace(clip, scores=clip.scores | {"tokens": float(tokens)})
            if tokens > self._settings.max_text_tokens and clip.state != "dropped":
                clip = replace(clip, state="dropped", reason=Reason.TOO_MANY_TOKENS.value)
        if clip.state == "dropped":
            return replace(clip, split="")
        return clip if clip.split else replace(clip, split=self._side(clip))


def _accepted(clip: Clip) -> Clip:
    return replace(clip, state="kept", reason="", edited=tuple(mark(clip.edited, "state")))


def _named(clip: Clip, taken: Collection[str]) -> Clip:
    """The clip with an id of its own: that of its recording and its start in ms."""
    milliseconds = round(clip.start * 1000)
    while (name := f"{clip.source.sha256[:12]}-{milliseconds:08d}") in taken:
        milliseconds += 1
    return replace(clip, id=name)
