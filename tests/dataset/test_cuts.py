"""What holds for the pieces of any recording, whatever is said and heard in it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from helpers_speech import QUIET, Spoken, as_recognised, spoken
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.speech import Span
from engine.dataset.clips import Reason, Word
from engine.dataset.marks import ends_sentence
from engine.dataset.segment import MOST_PAD, Piece, segment
from engine.dataset.wordless import SLIVER

SHORTEST, LONGEST = 1.0, 11.0
MOST_LETTERS = 60
FRAME = 0.011
# Seconds of a word, words of a sentence, seconds between two.
ANY = (
    [0.08, 0.2, 0.35, 0.6],
    [1, 1, 2, 4, 8, 16, 40, 80],
    [0.02, 0.06, 0.12, 0.3, 0.5, 0.59, 0.61, 1.2, 3.0, 20.0],
)
CLEAR = ([0.3, 0.4], [4, 8, 16, 25, 60], [0.12, 0.3, 0.59, 0.61, 3.0])


@dataclass(frozen=True)
class Made:
    """A recording, and which of its words the recogniser heard, with the times that it gave them."""

    spoken: Spoken
    heard: list[Word]


@st.composite
def recordings(
    draw: st.DrawFn, *, missing: bool = False, jitter: float = 0.0, clear: bool = False
) -> Made:
    """Sentences of all lengths with pauses of all lengths.

    Some are `missing` in what is heard; `clear` ones can each be a clip but for being too long.
    """
    lengths, counts, pauses = CLEAR if clear else ANY
    timed: list[tuple[str, float, float]] = []
    lost: list[bool] = []
    now = draw(st.sampled_from([0.0, 0.03, 1.0]))
    for _ in range(draw(st.integers(1, 10))):
        length = draw(st.sampled_from(lengths))
        count = draw(st.sampled_from(counts))
        marks = draw(st.lists(st.sampled_from(["", "", "", ","]), min_size=count, max_size=count))
        marks[-1] = draw(st.sampled_from(["?", "."] if clear else [".", ".", "?", "。", ""]))
        is_lost = missing and draw(st.booleans())
        for mark in marks:
            timed.append((f"{_name(len(timed))}{mark}", round(now, 2), round(now + length, 2)))
            lost.append(is_lost)
            now += length + (0.12 if mark == "," else 0.0)
        now += draw(st.sampled_from(pauses))
    made = spoken(timed, round(now + draw(st.sampled_from([0.0, 0.5])), 2))
    heard = [word for word, gone in zip(made.words, lost, strict=True) if not gone]
    if jitter:
        heard = as_recognised(heard, draw(st.integers(0, 1000)), jitter)
    return Made(made, heard)


def _name(number: int) -> str:
    """A word of its own without digits, which stand for longer words."""
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def cut(made: Made, *, most_letters: int = 10_000) -> list[Piece]:
    return segment(
        made.heard,
        made.spoken.spans,
        made.spoken.levels,
        made.spoken.seconds,
        shortest=SHORTEST,
        longest=LONGEST,
        fits=lambda text: len(text) <= most_letters,
    )


def unexplained(made: Spoken, pieces: list[Piece]) -> list[Span]:
    """Runs of loud speech outside of all pieces."""
    outside = np.repeat(made.levels > QUIET, 10)[: round(made.seconds * 1000)]
    for piece in pieces:
        outside[round(piece.start * 1000) : round(piece.end * 1000)] = False
    edges = np.flatnonzero(np.diff(outside.astype(int), prepend=0, append=0)).reshape(-1, 2)
    return [Span(begin / 1000, end / 1000) for begin, end in edges]


def check(made: Made, pieces: list[Piece]) -> None:
    """What holds whatever was heard."""
    assert all(piece.start < piece.end for piece in pieces)
    assert all(left.end <= right.start + 1e-6 for left, right in pairwise(pieces))
    if pieces:
        assert pieces[0].start >= 0
        assert pieces[-1].end <= made.spoken.seconds
    said = [word.text for piece in pieces for word in piece.words]
    assert said == [word.text for word in made.heard], "each word is in one piece, in order"
    assert all(rest.seconds < SLIVER for rest in unexplained(made.spoken, pieces))
    for piece in pieces:
        if piece.reason is None:
            assert piece.words
            assert SHORTEST <= round(piece.seconds, 3) <= LONGEST
        else:
            assert piece.seconds <= LONGEST or piece.reason is Reason.TOO_LONG
            assert piece.words or piece.reason is Reason.NO_WORDS


@settings(max_examples=60, deadline=None)
@given(recordings())
def test_right_times_are_cut_between_words_and_nothing_is_lost(made: Made) -> None:
    pieces = cut(made)
    check(made, pieces)
    edges = [edge for piece in pieces for edge in (piece.start, piece.end)]
    for word in made.spoken.words:
        inside = [edge for edge in edges if word.start + FRAME < edge < word.end - FRAME]
        assert not inside, (word, inside)


@settings(max_examples=60, deadline=None)
@given(recordings(missing=True, jitter=0.15))
def test_missed_words_and_wrong_times_lose_nothing_either(made: Made) -> None:
    check(made, cut(made))


@settings(max_examples=30, deadline=None)
@given(recordings(missing=True))
def test_speech_without_words_is_in_no_clip(made: Made) -> None:
    heard = set(made.heard)
    missed = [word for word in made.spoken.words if word not in heard]
    for piece in cut(made):
        if piece.reason is None:
            within = sum(
                max(0.0, min(piece.end, word.end) - max(piece.start, word.start)) for word in missed
            )
            assert within < 0.5 * len(piece.words) + 0.5, piece


@settings(max_examples=30, deadline=None)
@given(recordings())
def test_texts_that_are_too_much_are_cut_further(made: Made) -> None:
    pieces = cut(made, most_letters=MOST_LETTERS)
    check(made, pieces)
    for piece in pieces:
        assert len(piece.text) <= MOST_LETTERS or len(piece.words) == 1


@settings(max_examples=30, deadline=None)
@given(recordings(clear=True))
def test_sentences_that_fit_are_not_cut(made: Made) -> None:
    """A clip ends inside a sentence only where that is too long to be one."""
    sentences: list[list[Word]] = [[]]
    for word in made.heard:
        sentences[-1].append(word)
        if ends_sentence(word.text):
            sentences.append([])
    for piece in cut(made):
        assert piece.reason is None
        last = piece.words[-1].text
        (sentence,) = [words for words in sentences if last in [word.text for word in words]]
        is_long = sentence[-1].end - sentence[0].start > LONGEST - 2 * MOST_PAD
        assert is_long or last == sentence[-1].text, piece
