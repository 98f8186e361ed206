from __future__ import annotations

import sys
import unicodedata

import pytest

from engine.text import clean


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "Zoë says: “no”…",
        "naïve",
        "日本語",
        "مرحبا",
        "می\u200cخواهم",
        "क्\u200dष",
        "e\u0301",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("a\tb\r\n", "a␉b␍␊"),
        ("\x00\x7f", "␀␡"),
        ("\x9b2J", "\ufffd2J"),
        ("abc\u202etxt.exe", "abc\ufffdtxt.exe"),
        ("\u2066x\u2069", "\ufffdx\ufffd"),
        ("zero\u200bwidth\ufeff", "zero\ufffdwidth\ufffd"),
        ("line\u2028paragraph\u2029", "line\ufffdparagraph\ufffd"),
        ("lone\udcff", "lone\ufffd"),
        ("tag\U000e0041", "tag\ufffd"),
    ],
)
def test_what_a_terminal_could_act_on_becomes_visible(text: str, shown: str) -> None:
    assert clean(text) == shown


def test_newlines_stay_only_where_they_are_wanted() -> None:
    assert clean("a\nb\rc", keep_newlines=True) == "a\nb␍c"


def test_no_character_at_all_gets_through_as_a_control() -> None:
    out = clean("".join(map(chr, range(sys.maxunicode + 1))))
    left = {unicodedata.category(char) for char in out if char not in "\u200c\u200d"}
    assert not left & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.mark.parametrize("mark", ["\u0301", "\u20dd", "\ufe0f", "\u0301\ufe0f", "\u0301\u200d"])
def test_stacks_of_marks_are_cut(mark: str) -> None:
    assert len(clean("a" + mark * 5000)) <= 9
    assert clean("a" + mark * 5000 + "b").endswith("b")


def test_each_letter_may_have_marks_of_its_own() -> None:
    text = "a\u0301\u0302" * 20
    assert clean(text) == text
