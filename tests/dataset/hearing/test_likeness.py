from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dataset.hearing.likeness import agreement, repeats, units


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("It was mine, of course.", "it was mine of course", 1.0),
        ("It's late.", "Its late", 1.0),
        ("one two three four", "one two four", 0.75),
        ("one two", "one two three four", 0.5),
        ("a b c d", "w x y z", 0.0),
        ("some words", "", 0.0),
        ("", "?!", 1.0),
        ("今日は晴れです。", "今日は雨です。", 5 / 7),
        ("मेरी बहन सोती है", "मेरी बहन रोती है", 0.75),
        ("Café", "CAFE\u0301", 1.0),
    ],
)
def test_texts_are_alike_as_far_as_their_words_are(one: str, other: str, alike: float) -> None:
    assert agreement(one, other) == pytest.approx(alike)


@given(st.text("ab c,.日本", max_size=20), st.text("ab c,.日本", max_size=20))
def test_agreement_is_a_share_that_goes_both_ways(one: str, other: str) -> None:
    alike = agreement(one, other)
    assert 0.0 <= alike <= 1.0
    assert alike == agreement(other, one)
    assert (alike == 1.0) == (units(one) == units(other))


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("", 0),
        ("nothing comes twice here", 1),
        ("no, no, no!", 3),
        ("Thank you. Thank you. Thank you. Thank you. Thank you.", 5),
        ("well I see you see you there", 2),
        ("字幕字幕字幕", 3),
    ],
)
def test_circles_are_counted(text: str, times: int) -> None:
    assert repeats(text) == times
