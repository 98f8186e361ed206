from __future__ import annotations

import pytest

from engine.dataset.clips import Reason, Word
from engine.dataset.hearing.reading import Reading
from engine.dataset.hearing.second import Take
from engine.dataset.hearing.transcripts import Segment
from engine.dataset.judge import Verdict, judge
from engine.dataset.segment import Piece

GOOD = Segment(0.0, 5.0, (), avg_logprob=-0.2, no_speech_prob=0.01, compression_ratio=1.3)


class Letters:
    """A tokenizer with a token a letter that knows ASCII only."""

    def count(self, text: str) -> int:
        return len(text)

    def unknown(self, text: str) -> set[str]:
        return {character for character in text if ord(character) > 127}


def verdict(
    text: str,
    reason: Reason | None = None,
    doubt: Reason | None = None,
    fault: Reason | None = None,
) -> Verdict:
    words = tuple(Word(f" {word}", 0.0, 1.0, 0.9) for word in text.split())
    piece = Piece(0.0, 3.0, words, reason)
    take = Take(piece, Reading(words, (GOOD,), 2.0), doubt=doubt, fault=fault)
    return judge(take, Letters(), 20)


def test_good_clips_are_kept_with_their_numbers() -> None:
    words = (Word(" one", 0.0, 1.0, 0.25), Word(" two", 1.0, 2.0, 1.0))
    take = Take(Piece(0.0, 3.0, words), Reading(words, (GOOD,), 2.0))
    made = judge(take, Letters(), 20)
    assert (made.state, made.reason, made.unknown) == ("kept", None, set())
    assert made.scores == {
        "confidence": 0.5,
        "tokens": 7.0,
        "logprob": -0.2,
        "no_speech": 0.01,
        "compression": pytest.approx(7 / 15, abs=1e-4),
    }


@pytest.mark.parametrize(
    ("made", "state", "reason"),
    [
        (verdict("far too many words here"), "dropped", Reason.TOO_MANY_TOKENS),
        (verdict("naïve"), "dropped", Reason.UNKNOWN_CHARACTERS),
        (verdict("some words", fault=Reason.REPETITION), "dropped", Reason.REPETITION),
        (verdict("some words", doubt=Reason.DISAGREEMENT), "suspect", Reason.DISAGREEMENT),
        (
            verdict("some words", doubt=Reason.DISAGREEMENT, fault=Reason.LANGUAGE),
            "dropped",
            Reason.LANGUAGE,
        ),
    ],
)
def test_what_is_wrong_is_named(made: Verdict, state: str, reason: Reason) -> None:
    assert (made.state, made.reason) == (state, reason)


def test_the_reason_of_the_cut_comes_first() -> None:
    made = verdict("naïve", Reason.TOO_SHORT, fault=Reason.LOW_CONFIDENCE)
    assert made.reason == Reason.TOO_SHORT
    assert made.unknown == {"ï"}


def test_speech_without_words_has_no_scores() -> None:
    assert verdict("", Reason.NO_WORDS) == Verdict("dropped", Reason.NO_WORDS, {}, set())
