"""What the texts of a dataset cover: kinds of sentences, names, numbers, letters and sounds.

Sounds are measured without a dictionary: how many of the 100 most frequent pairs of letters of the
language (in Chinese and Japanese: characters, each of which is a syllable or a sound) the texts
hold at least three times. Pairs of letters stand for the passages from one sound to the next, which
a voice has to have heard to speak them. The pairs, letters, months and number words of each
language are those of `profiles/alphabets.toml`; of another language they are not known.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Literal

from engine.dataset.marks import CLOSING, SENTENCE, ends_sentence

# As often a pair has to be heard; once may be an accident of a name.
OFTEN = 3
# Of the clips in seconds: what is a short and what a long one.
SHORT, LONG = 3.0, 8.0
_QUESTION, _EXCLAMATION = "?？؟", "!！"
# These end a sentence wherever they stand; the others only before a space.
_ALONE = "。！？؟۔।॥"
_END = re.compile(rf"[{re.escape(SENTENCE)}]+(?=[{re.escape(CLOSING)}]*\s)|[{_ALONE}]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_DATE = re.compile(r"\b\d{1,2}[./-]\d{1,2}[./-](?:\d\d){1,2}\b|\b(?:1[0-9]|20)\d\d\b|\d\s?[月日월]")
# Where every noun has a capital, names cannot be told by it.
_CAPITAL_NOUNS = ("de",)
_WITHOUT_SPACES = ("zh-cn", "ja")


@dataclass(frozen=True)
class Alphabet:
    """What texts of a language are compared with; empty where nobody knows."""

    letters: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    months: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Coverage:
    """What is in the texts of the clips in use.

    `statements`, `questions` and `exclamations` count sentences by their mark, `unmarked` the clips
    that end without one. `names` counts words with a capital inside a sentence (None: the language
    does not show names so), `numbers` those in digits or words, `dates` months, years and dates in
    digits. `words` are different ones of `all_words`, in Chinese and Japanese characters.
    `missing_letters` of the `letters` of the alphabet never occur, `missing_sounds` of the `sounds`
    not often enough. `short` and `long` are shares of the clips. `characters` counts each one in
    lower case, the most frequent first.
    """

    statements: int
    questions: int
    exclamations: int
    unmarked: int
    names: int | None
    numbers: int
    dates: int
    words: int
    all_words: int
    letters: int
    missing_letters: tuple[str, ...]
    sounds: int
    missing_sounds: tuple[str, ...]
    short: float
    long: float
    characters: tuple[tuple[str, int], ...]

    @property
    def sentences(self) -> int:
        return self.statements + self.questions + self.exclamations


def coverage_of(texts: Sequence[str], lengths: Sequence[float], language: str) -> Coverage:
    """Look at the texts of clips and at their lengths in seconds; 50,000 take about a second."""
    alphabet = alphabet_of(language)
    text = "\n".join(texts) + "\n"
    folded = folded_text(text, language)
    characters = Counter(folded)
    words = _words(folded, characters, language)
    ends = Counter(map(_kind, _END.findall(text)))
    spelled = unicodedata.normalize("NFD", folded) if language == "ko" else folded
    there = set(spelled)
    del characters["\n"], characters[" "]
    return Coverage(
        statements=ends["."],
        questions=ends["?"],
        exclamations=ends["!"],
        unmarked=sum(not ends_sentence(each) for each in texts),
        names=_names(text, language),
        numbers=len(_NUMBER.findall(text)) + sum(words[word] for word in alphabet.numbers),
        dates=len(_DATE.findall(text)) + sum(words[word] for word in alphabet.months),
        words=len(words),
        all_words=words.total(),
        letters=len(alphabet.letters),
        missing_letters=tuple(letter for letter in alphabet.letters if letter not in there),
        sounds=len(alphabet.common),
        missing_sounds=tuple(
            unicodedata.normalize("NFC", pair)
            for pair in alphabet.common
            if not _is_often(spelled, pair)
        ),
        short=_share(length < SHORT for length in lengths),
        long=_share(length > LONG for length in lengths),
        characters=tuple(characters.most_common()),
    )


def alphabet_of(language: str) -> Alphabet:
    """What texts of a language are compared with; an empty one for a language that is not known."""
    text = resources.files("profiles").joinpath("alphabets.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text).get(language)
    if table is None:
        return Alphabet()
    # Korean letters are the parts of a syllable, as the table's own are.
    form: Literal["NFC", "NFD"] = "NFD" if language == "ko" else "NFC"
    letters = dict.fromkeys(unicodedata.normalize(form, table["letters"]))
    common = unicodedata.normalize(form, table["common"]).split()
    months, numbers = table["months"].split(), table["numbers"].split()
    return Alphabet(tuple(letters), tuple(common), frozenset(months), frozenset(numbers))


def folded_text(text: str, language: str) -> str:
    """A text in lower case, as the language has it."""
    if language == "tr":
        text = text.replace("I", "ı").replace("İ", "i")
    # Not casefold: that writes the German sharp s as two letters.
    return unicodedata.normalize("NFC", text).lower()


def _is_often(text: str, pair: str) -> bool:
    at = 0
    for _ in range(OFTEN):
        at = text.find(pair, at) + 1
        if not at:
            return False
    return True


def _kind(marks: str) -> str:
    """What kind of sentence ends with these marks: "?", "!" or "."."""
    if any(mark in _QUESTION for mark in marks):
        return "?"
    return "!" if any(mark in _EXCLAMATION for mark in marks) else "."


def _words(folded: str, characters: Counter[str], language: str) -> Counter[str]:
    spoken = {each for each in characters if each.isalnum() or _is_mark(each)}
    if language in _WITHOUT_SPACES:
        return Counter({each: characters[each] for each in spoken})
    others = {ord(each): " " for each in characters if each not in spoken and each not in "'’-"}
    return Counter(word for word in folded.translate(others).split() if word not in "'’-")


def _is_mark(character: str) -> bool:
    """Whether it belongs to the letter before it, as the vowel signs of Hindi do."""
    return unicodedata.category(character).startswith("M")


def _names(text: str, language: str) -> int | None:
    capitals = "".join(each for each in set(text) if each.isupper())
    if language in _CAPITAL_NOUNS or not capitals:
        return None
    return len(re.findall(rf"(?<=[\w,;:] )[{capitals}]\w+", text))


def _share(hits: Iterable[bool]) -> float:
    found = list(hits)
    return sum(found) / max(1, len(found))
