from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.audio.speech import Span
from engine.dataset.clips import Word
from engine.dataset.given import placing
from engine.dataset.given import text as given_text


def spread(text: str, *spans: tuple[float, float]) -> list[Word]:
    words = list(given_text.words(text, 1))
    return placing.spread(words, [Span(*span) for span in spans])


def starts(text: str, *spans: tuple[float, float]) -> dict[str, float]:
    return {word.text.strip(): word.start for word in spread(text, *spans)}


def test_words_share_the_time_by_their_length() -> None:
    assert spread("I wonder", (1.0, 2.4)) == [
        Word(" I", 1.0, 1.2, 1.0),
        Word(" wonder", 1.2, 2.4, 1.0),
    ]
    assert [word.start for word in spread("1995 was good", (0.0, 2.3))] == [0.0, 1.6, 1.9]


def test_sentences_end_at_pauses_where_the_pace_allows_it() -> None:
    text = "Yes. I think that this is the right way, and you know it. Do you not?"
    found = starts(text, (1.0, 1.4), (1.9, 3.6), (3.9, 4.8), (5.5, 6.3))
    assert (found["Yes."], found["I"], found["and"], found["Do"]) == (1.0, 1.9, 3.9, 5.5)


def test_a_breath_may_stay_without_words() -> None:
    found = spread("This is what he said to us that day.", (1.0, 1.15), (2.0, 4.0))
    assert found[0].start == 2.0
    assert found[-1].end == 4.0


def test_gaps_inside_words_do_not_part_them() -> None:
    assert len(spread("Extraordinarily", (1.0, 1.5), (1.6, 2.2))) == 1


def test_without_speech_there_is_no_place() -> None:
    assert spread("Hello") == []
    assert spread("", (0.0, 1.0)) == []


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text("ab1你.,", min_size=1, max_size=9), max_size=60),
    st.lists(st.tuples(st.floats(0.0, 2.0), st.floats(0.02, 4.0)), min_size=1, max_size=12),
)
def test_words_are_in_order_and_never_outside_speech(
    pieces: list[str], parts: list[tuple[float, float]]
) -> None:
    spans = []
    now = 0.0
    for pause, length in parts:
        spans.append(Span(now + pause, now + pause + length))
        now = spans[-1].end
    words = list(given_text.words(" ".join(pieces), 1))
    placed = placing.spread(words, spans)
    assert [word.text for word in placed] == [word.text for word in words]
    assert all(left.end <= right.start for left, right in pairwise(placed))
    gaps = [(a.end, b.start) for a, b in pairwise(spans) if b.start - a.end >= 0.15]
    for word in placed:
        assert spans[0].start <= word.start <= word.end <= spans[-1].end
        assert not any(word.start < end and start < word.end for start, end in gaps)


@pytest.mark.parametrize(
    ("time", "expected"),
    [(0.5, 0.5), (1.2, 1.0), (2.9, 3.0), (2.0, 2.0), (3.0, 3.0), (9.0, 9.0)],
)
def test_a_cue_does_not_cut_speech_where_a_pause_is_near(time: float, expected: float) -> None:
    assert placing.snapped(time, [Span(1.0, 3.0), Span(4.0, 5.0)]) == expected


def test_texts_that_nobody_can_say_in_the_time_do_not_fit() -> None:
    words = list(given_text.words("This is what he said to us that day.", 1))
    assert placing.fits(words, 2.0)
    assert not placing.fits(words, 0.3)
    assert not placing.fits(words, 30.0)
