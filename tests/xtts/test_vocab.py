from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import BaseModelError, InputError
from engine.languages import LANGUAGES
from engine.xtts.load import tokenizer_of
from engine.xtts.vocab import Vocabulary


def test_tokens_are_counted_as_coqui_counts_them(tiny_base: Path) -> None:
    vocabulary = Vocabulary(tiny_base, "en")
    for text in ("The quick brown fox.", "It cost $20 & was 3 m long!", "", "Was ist das — naïve?"):
        assert vocabulary.count(text) == len(tokenizer_of(tiny_base).encode(text, "en"))


def test_unknown_characters_are_named(tiny_base: Path) -> None:
    vocabulary = Vocabulary(tiny_base, "en")
    assert vocabulary.unknown("All of these are known, even 123 and é.") == set()
    assert vocabulary.unknown("A 山 and ✓✓ here") == {"山", "✓"}


def test_a_language_that_the_base_lacks_is_refused(tiny_base: Path) -> None:
    with pytest.raises(InputError, match=r"does not hold the tag \[sv\]"):
        Vocabulary(tiny_base, "sv")


def test_a_file_that_is_no_tokenizer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "vocab.json"
    path.write_text("{}")
    with pytest.raises(BaseModelError, match=r"vocab\.json is not a tokenizer file"):
        Vocabulary(tmp_path, "en")


def test_other_languages_are_tokenised_with_the_common_steps(
    tmp_path: Path, tiny_base: Path
) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tiny_base / "vocab.json"))
    tokenizer.add_special_tokens(["[sv]"])
    tokenizer.save(str(tmp_path / "vocab.json"))
    vocabulary = Vocabulary(tmp_path, "sv")
    assert vocabulary.unknown("Hur mår du?") == set()
    assert vocabulary.count("HUR  MÅR") == vocabulary.count("hur mår")


TEXTS = {
    "ar": "صباح الخير.",
    "hi": "नमस्ते।",
    "ja": "おはようございます。",
    "ko": "안녕하세요.",
    "ru": "Доброе утро.",
    "zh-cn": "早上好。",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_of_xtts_can_be_read(tiny_base: Path, language: str) -> None:
    """The packages that coqui's text rules need are there; the numbers show that rules ran."""
    tokenizer = tokenizer_of(tiny_base)
    text = TEXTS.get(language, "12 ok")
    expected = tokenizer.encode(text, language)
    assert Vocabulary(tiny_base, language).encode(text) == expected
    assert len(expected) > 3
