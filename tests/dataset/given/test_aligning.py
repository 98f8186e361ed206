from __future__ import annotations

import random
from itertools import pairwise

from engine.audio.speech import Span
from engine.dataset.clips import Word
from engine.dataset.given import text as given_text
from engine.dataset.given.aligning import Aligned, align
from engine.dataset.given.text import GivenWord

LENGTH = 0.4


def given(text: str) -> list[GivenWord]:
    return [
        word
        for number, line in enumerate(text.splitlines(), 1)
        for word in given_text.words(line, number)
    ]


def heard(text: str) -> list[Word]:
    """The words as they are said, one after another, with a pause at each `|`."""
    now, words = 1.0, []
    for part in text.split("|"):
        for piece in part.split():
            words.append(Word(f" {piece}", round(now, 3), round(now + LENGTH, 3), 0.9))
            now += LENGTH
        now += 0.5
    return words


def spans(words: list[Word]) -> list[Span]:
    found: list[Span] = []
    for word in words:
        if found and word.start - found[-1].end < 0.1:
            found[-1] = Span(found[-1].start, word.end)
        else:
            found.append(Span(word.start, word.end))
    return found


def aligned(text: str, said: str, recognised: str | None = None) -> Aligned:
    """A text aligned with what was recognised of the words that were said; `-`: not recognised."""
    spoken = heard(said)
    names = (recognised or said).replace("|", " ").split()
    words = [
        Word(f" {name}", word.start, word.end, 0.5)
        for name, word in zip(names, spoken, strict=True)
        if name != "-"
    ]
    return align(given(text), words, spans(spoken))


def test_words_take_the_times_of_the_same_words() -> None:
    found = aligned("“Who's there?” he asked.", "who’s THERE he | asked")
    assert [word.text for word in found.words] == [" “Who's", " there?”", " he", " asked."]
    assert [word.start for word in found.words] == [1.0, 1.4, 1.8, 2.7]
    assert (found.share, found.doubts, found.unspoken) == (1.0, [], [])


def test_words_that_were_not_recognised_lie_between_their_neighbours() -> None:
    said = "the big red house | stood near the river"
    found = aligned("The big red house stood near the river.", said, "the big - - | - near a river")
    assert [word.text.strip() for word in found.words[2:5]] == ["red", "house", "stood"]
    red, house, stood = found.words[2:5]
    assert 1.8 <= red.start < house.start < house.end <= 2.6
    assert (stood.start, stood.end) == (3.1, 3.5)


def test_scripts_without_spaces_are_aligned_by_character() -> None:
    words = [Word("你好", 1.0, 2.0, 0.9), Word("世界", 2.5, 3.5, 0.9)]
    found = align(given("你好，世界。"), words, spans(words))
    assert [word.text for word in found.words] == ["你", "好，", "世", "界。"]
    assert [word.start for word in found.words] == [1.0, 1.5, 2.5, 3.0]


def test_what_is_not_said_is_left_out_and_told() -> None:
    text = "Chapter one, read for you by a friend\nthe house stood there\nThe very end of it all"
    found = aligned(text, "the house stood there")
    assert "".join(word.text for word in found.words) == " the house stood there"
    assert found.unspoken == [1, 3]
    assert found.share == 1.0


def test_a_text_of_something_else_hardly_agrees() -> None:
    said = "please keep your ticket ready and mind the gap when you step on board"
    assert aligned("An entirely different sentence about cooking the noodles", said).share < 0.3


def long_text(count: int, seed: int) -> list[str]:
    dice = random.Random(seed)
    known = ["".join(dice.choices("abcdefghijklmnop", k=dice.randint(1, 8))) for _ in range(3000)]
    return [dice.choice(known[: dice.choice((40, 3000))]) for _ in range(count)]


def test_a_stretch_that_was_heard_otherwise_is_in_doubt() -> None:
    words = long_text(200, 1)
    otherwise = words[:100] + [f"x{number}" for number in range(30)] + words[130:]
    found = aligned("\n".join(words), " ".join(words), " ".join(otherwise))
    (doubt,) = found.doubts
    assert doubt.start == 1.0 + 100 * LENGTH
    assert abs(doubt.end - (1.0 + 130 * LENGTH)) < 0.01
    assert found.unsure == [101]
    assert [word.text.strip() for word in found.words] == words


def test_hours_are_aligned_in_time_and_to_the_right_places() -> None:
    dice = random.Random(2)
    words = long_text(20_000, 2)
    said = heard(" ".join(words))
    recognised = [
        word._replace(text=" wrong") if dice.random() < 0.1 else word
        for word in said
        if dice.random() > 0.02
    ]
    found = align([GivenWord(f" {word}", 1) for word in words], recognised, spans(said))
    assert 0.85 < found.share < 0.95
    assert len(found.doubts) < 5
    assert [word.text.strip() for word in found.words] == words
    assert all(left.end <= right.start + 1e-9 for left, right in pairwise(found.words))
    away = [abs(word.start - true.start) for word, true in zip(found.words, said, strict=True)]
    assert sum(error > 1.0 for error in away) < len(away) / 100


def test_texts_that_only_repeat_are_aligned_too() -> None:
    said = heard("na " * 3000)
    found = align([GivenWord(" na", 1)] * 3000, said, spans(said))
    assert len(found.words) + 3000 * bool(found.unspoken) >= 3000
