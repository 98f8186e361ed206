from __future__ import annotations

from dataclasses import replace

import pytest

from engine.audio.speech import Span
from engine.dataset.clips import Reason, Word
from engine.dataset.hearing.reading import Reading, readings, speech_within
from engine.dataset.hearing.second import choose, once
from engine.dataset.hearing.transcripts import Segment
from engine.dataset.segment import Piece

SURE = Segment(0.0, 5.0, (), avg_logprob=-0.2, no_speech_prob=0.01, compression_ratio=1.3)
LOOP = "you you you you you you"
SENTENCE = "the night train leaves from platform nine"


def reading(
    text: str, probability: float = 0.9, *, heard: Segment = SURE, seconds: float = 3.0
) -> Reading:
    words = tuple(Word(f" {word}", 0.5, 1.0, probability) for word in text.split())
    return Reading(words, (heard,) if words else (), seconds)


@pytest.mark.parametrize(
    ("heard", "fault"),
    [
        (reading(SENTENCE), None),
        (reading(""), Reason.NO_WORDS),
        (reading(LOOP), Reason.REPETITION),
        (reading(SENTENCE, 0.3), Reason.LOW_CONFIDENCE),
        (reading(SENTENCE, heard=replace(SURE, avg_logprob=-1.2)), Reason.LOW_CONFIDENCE),
    ],
)
def test_what_cannot_be_right_is_named(heard: Reading, fault: Reason | None) -> None:
    assert heard.fault == fault
    assert once(Piece(0.0, 3.0, heard.words), heard).fault == fault
    assert heard.is_doubtful == (fault is not None)


@pytest.mark.parametrize(
    "heard",
    [
        reading(SENTENCE, 0.6),
        reading(SENTENCE, heard=replace(SURE, compression_ratio=2.5)),
        reading(SENTENCE, heard=replace(SURE, no_speech_prob=0.7)),
        reading(SENTENCE, seconds=1.0),
        reading(SENTENCE, seconds=15.0),
        reading("in 1987", seconds=0.5),
        replace(reading(SENTENCE), words=(*reading(SENTENCE).words, Word(" x", 1.0, 1.1, 0.05))),
    ],
)
def test_what_looks_wrong_is_heard_again(heard: Reading) -> None:
    assert heard.fault is None
    assert heard.is_doubtful


@pytest.mark.parametrize(("text", "seconds"), [("今日は晴れです", 1.2), ("in 1987", 1.2)])
def test_speed_counts_what_is_spoken(text: str, seconds: float) -> None:
    assert not reading(text, seconds=seconds).is_doubtful


DOUBTFUL = reading(SENTENCE, 0.6)
OTHER = "the night rained from platform nine"


@pytest.mark.parametrize(
    ("first", "second", "text", "doubt", "fault"),
    [
        pytest.param(DOUBTFUL, reading(SENTENCE, 0.8), SENTENCE, None, None, id="same"),
        pytest.param(
            DOUBTFUL, reading(OTHER, 0.9), OTHER, Reason.DISAGREEMENT, None, id="second surer"
        ),
        pytest.param(
            DOUBTFUL, reading(OTHER, 0.5), SENTENCE, Reason.DISAGREEMENT, None, id="first surer"
        ),
        pytest.param(DOUBTFUL, reading(""), SENTENCE, Reason.DISAGREEMENT, None, id="then nothing"),
        pytest.param(reading(LOOP), reading(SENTENCE), SENTENCE, None, None, id="mended"),
        pytest.param(
            reading(LOOP), DOUBTFUL, SENTENCE, Reason.DISAGREEMENT, None, id="loop, then unsure"
        ),
        pytest.param(reading(SENTENCE, 0.3), DOUBTFUL, SENTENCE, None, None, id="both unsure"),
    ],
)
def test_the_better_text_is_taken(
    first: Reading, second: Reading, text: str, doubt: Reason | None, fault: Reason | None
) -> None:
    take = choose(Piece(0.0, 3.0, first.words), first, second)
    assert (take.piece.text, take.doubt, take.fault) == (text, doubt, fault)
    assert take.second == (second if take.reading is first else first).text
    assert take.agreement is not None
    assert (take.agreement >= 0.9) == (first.text == second.text)


@pytest.mark.parametrize("second", [reading(""), reading(LOOP), reading(OTHER, 0.2)])
def test_what_is_wrong_twice_is_dropped(second: Reading) -> None:
    first = reading(LOOP)
    take = choose(Piece(0.0, 3.0, first.words), first, second)
    assert (take.fault, take.piece.text, take.second) == (Reason.REPETITION, LOOP, second.text)


def test_readings_have_the_segments_and_the_speech_of_their_piece() -> None:
    segments = [
        replace(SURE, start=start, end=end) for start, end in ((0.0, 9.0), (2.0, 3.0), (9.5, 12.0))
    ]
    spans = [Span(0.5, 1.5), Span(2.0, 6.0), Span(9.0, 11.0)]
    pieces = [Piece(0.2, 4.0, ()), Piece(4.0, 9.2, ()), Piece(9.3, 12.0, ())]
    made = list(readings(pieces, segments, spans))
    assert [[s.start for s in r.segments] for r in made] == [[0.0, 2.0], [0.0], [9.5]]
    assert [r.seconds for r in made] == pytest.approx([3.0, 2.2, 1.7])
    assert speech_within(spans, 0.0, 20.0) == pytest.approx(7.0)
