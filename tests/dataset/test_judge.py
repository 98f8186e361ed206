from __future__ import annotations

import pytest

from engine.dataset.clips import Reason, Word
from engine.dataset.judge import judge
from engine.dataset.segment import Piece
from engine.dataset.transcripts import Segment

GOOD = Segment(0.0, 5.0, (), avg_logprob=-0.2, no_speech_prob=0.01, compression_ratio=1.3)


class Letters:
    """A tokenizer with a token a letter that knows ASCII only."""

    def count(self, text: str) -> int:
        return len(text)

    def unknown(self, text: str) -> set[str]:
        return {character for character in text if ord(character) > 127}


def verdict(
    text: str = "some words", *, probability: float = 0.9, heard: Segment = GOOD
) -> Reason | None:
    words = tuple(Word(f" {word}", 0.0, 1.0, probability) for word in text.split())
    return judge(Piece(0.0, 3.0, words), [heard], Letters(), 20)[0]


def test_good_clips_are_kept_with_their_numbers() -> None:
    piece = Piece(0.0, 3.0, (Word(" one", 0.0, 1.0, 0.25), Word(" two", 1.0, 2.0, 1.0)))
    reason, scores, unknown = judge(piece, [GOOD], Letters(), 20)
    assert reason is None
    assert unknown == set()
    assert scores == {
        "confidence": 0.5,
        "tokens": 7.0,
        "logprob": -0.2,
        "no_speech": 0.01,
        "compression": 1.3,
    }


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        (Reason.TOO_MANY_TOKENS, {"text": "far too many words here"}),
        (Reason.UNKNOWN_CHARACTERS, {"text": "naïve"}),
        (Reason.LOW_CONFIDENCE, {"probability": 0.2}),
        (Reason.LOW_CONFIDENCE, {"heard": Segment(0, 5, (), -1.2, 0.0, 1.0)}),
        (Reason.REPETITION, {"heard": Segment(0, 5, (), -0.1, 0.0, 3.1)}),
    ],
)
def test_what_is_wrong_is_named(reason: Reason, given: dict[str, object]) -> None:
    assert verdict(**given) == reason  # type: ignore[arg-type]


def test_the_reason_of_the_cut_comes_first() -> None:
    piece = Piece(0.0, 0.5, (Word(" naïve", 0.0, 0.3, 0.1),), Reason.TOO_SHORT)
    reason, _, unknown = judge(piece, [GOOD], Letters(), 20)
    assert reason == Reason.TOO_SHORT
    assert unknown == {"ï"}


def test_speech_without_words_has_no_scores() -> None:
    assert judge(Piece(0.0, 2.0, (), Reason.NO_WORDS), [], Letters(), 20) == (
        Reason.NO_WORDS, {}, set(),
    )  # fmt: skip
