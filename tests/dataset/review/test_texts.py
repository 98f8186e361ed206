from __future__ import annotations

import pytest

from engine.dataset.clips import Word
from engine.dataset.review import texts


def words(text: str, separator: str = " ") -> list[Word]:
    return [Word(separator + word, i, i + 1, 1.0) for i, word in enumerate(text.split())]


@pytest.mark.parametrize(
    ("heard", "text", "index", "parts"),
    [
        ("a b c d", "a b c d", 2, ("a b", "c d")),
        ("a b c d", "a b c d", 0, ("", "a b c d")),
        ("a b c d", "a b c d", 4, ("a b c d", "")),
        ("it was too late", "It was, two lates!", 2, ("It was,", "two lates!")),
        ("it was too late", "Well, it was really too late", 2, ("Well, it was", "really too late")),
        ("it was too late", "x", 2, ("", "x")),
        ("twenty one cats here", "21 cats here", 2, ("21", "cats here")),
    ],
)
def test_a_text_is_divided_where_its_words_are(
    heard: str, text: str, index: int, parts: tuple[str, str]
) -> None:
    assert texts.divide(text, words(heard), index) == parts


def test_texts_without_spaces_are_divided_too() -> None:
    heard = words("今日 は いい 天気", "")
    assert texts.joined(heard) == "今日はいい天気"
    assert texts.divide("今日は、いい天気。", heard, 2) == ("今日は、", "いい天気。")


def test_every_part_of_a_text_stays() -> None:
    heard, text = "one two three four five six", "One, two three! Four-five (six)."
    for index in range(7):
        assert " ".join(texts.divide(text, words(heard), index)).strip() == text
    for position in range(len(text) + 1):
        assert " ".join(texts.cut(text, position)).split() == text.split()


def test_differences_are_words_and_pardon_marks() -> None:
    found = texts.differences("Hello, big world and so", "hello world, and then so")
    assert [(d.op, d.left, d.right) for d in found] == [
        ("equal", ("Hello,",), ("hello",)),
        ("delete", ("big",), ()),
        ("equal", ("world", "and"), ("world,", "and")),
        ("insert", (), ("then",)),
        ("equal", ("so",), ("so",)),
    ]
    assert texts.differences("", "") == []
    assert [d.op for d in texts.differences("[b] —", "[/b] —")] == ["equal"]
