"""Long texts become phrases that fit."""

from __future__ import annotations

import pytest

from engine.xtts.phrases import split


def test_a_short_text_stays_whole() -> None:
    assert split("  One.  Two. ", 250) == ["One. Two."]


def test_sentences_are_kept_together_as_far_as_they_fit() -> None:
    assert split("One two three. Four five! Six?", 20) == ["One two three.", "Four five! Six?"]


def test_long_sentences_are_cut_at_commas_then_between_words() -> None:
    assert split("aaa bbb, ccc ddd eee fff", 12) == ["aaa bbb,", "ccc ddd eee", "fff"]


@pytest.mark.parametrize("text", ["x" * 700, "word " * 300, "早上好。" * 60, "No end " * 90 + "."])
def test_nothing_is_lost_and_nothing_is_too_long(text: str) -> None:
    phrases = split(text, 82)
    assert max(map(len, phrases)) <= 82
    assert "".join("".join(phrases).split()) == "".join(text.split())
