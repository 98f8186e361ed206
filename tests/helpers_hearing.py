"""A listener for tests of everything around the recogniser: it hears words where there are none."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.dataset.clips import Word
from engine.dataset.hearing.chunks import Chunk
from engine.dataset.hearing.transcripts import Heard, Segment

_WORDS = (
    "The",
    "river",
    "was",
    "quiet,",
    "that",
    "morning.",
    "Why?",
    "and",
    "nobody",
    "saw",
    "it!",
)
_ODD = (
    "",
    " ",
    "...",
    "1,234.5",
    "ß",
    "日本語。",
    "a|b",
    '"',
    "\x1b[31m",
    "[bold]",
    "x" * 60,
    "no\nline",
)


class Babbler:
    """Hears the same words in the same chunk each time; `nonsense` is the share of odd ones.

    Odd words have odd letters, or times in no order inside their part: a recogniser's are never
    outside of it.
    """

    pid: int | None = None

    def __init__(self, seed: int = 1, nonsense: float = 0.0) -> None:
        self._seed = seed
        self._nonsense = nonsense

    def transcribe(
        self, audio: Path, chunks: Sequence[Chunk], language: str, *, careful: bool = False
    ) -> Iterator[tuple[int, Heard]]:
        for index, chunk in reversed(list(enumerate(chunks))):
            dice = random.Random(f"{self._seed} {chunk.parts} {careful}")
            yield index, Heard(tuple(self._segments(chunk, dice)))

    def close(self) -> None:
        pass

    def _segments(self, chunk: Chunk, dice: random.Random) -> Iterator[Segment]:
        for part in chunk.parts:
            if dice.random() < self._nonsense / 4:
                continue
            words = tuple(self._words(part.start, part.end, dice))
            odd = dice.random() < self._nonsense
            scores = (dice.uniform(-2, 0), dice.random(), dice.uniform(0, 4))
            yield Segment(part.start, part.end, words, *(scores if odd else (-0.2, 0.01, 1.2)))

    def _words(self, start: float, end: float, dice: random.Random) -> Iterator[Word]:
        at = start
        while at < end:
            until = min(end, at + dice.uniform(0.15, 0.6))
            odd = dice.random() < self._nonsense
            if not odd:
                yield Word(f" {dice.choice(_WORDS)}", at, until, dice.uniform(0.7, 1.0))
            elif dice.random() < 0.5:
                yield Word(f" {dice.choice(_ODD)}", at, until, dice.random())
            else:
                times = [dice.choice((start, end, dice.uniform(start, end))) for _ in range(2)]
                yield Word(f" {dice.choice(_WORDS)}", *times, dice.choice((0.0, 1.0)))
            at = until
