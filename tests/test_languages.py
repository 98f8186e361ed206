from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import languages
from engine.errors import BaseModelError, InputError


@pytest.fixture
def vocab(tmp_path: Path) -> Path:
    """A vocabulary whose base was taught Ukrainian."""
    path = tmp_path / "vocab.json"
    path.write_text(json.dumps({"model": {"vocab": {"[STOP]": 0, "[en]": 1, "[uk]": 2, "ї": 3}}}))
    return path


def test_xtts_speaks_seventeen_languages() -> None:
    assert len(languages.LANGUAGES) == 17
    for code in languages.LANGUAGES:
        assert languages.check(code, None) == code


@pytest.mark.parametrize(
    ("typed", "code"),
    [("EN", "en"), (" de ", "de"), ("zh", "zh-cn"), ("zh_CN", "zh-cn"), ("jp", "ja")],
)
def test_other_ways_to_write_a_code_are_understood(typed: str, code: str) -> None:
    assert languages.check(typed, None) == code


@pytest.mark.parametrize(("code", "whisper"), [("zh-cn", "zh"), ("en", "en"), ("uk", "uk")])
def test_whisper_has_names_of_its_own(code: str, whisper: str) -> None:
    assert languages.whisper_code(code) == whisper


def test_another_language_needs_its_tag_in_the_vocabulary(vocab: Path) -> None:
    assert languages.check("uk", vocab) == "uk"
    with pytest.raises(InputError, match=r"vocab\.json holds the tag \[sv\]"):
        languages.check("sv", vocab)
    with pytest.raises(InputError, match=r"\[uk\]"):
        languages.check("uk", None)


@pytest.mark.parametrize(
    ("typed", "nearest"), [("Germn", "German"), ("eng", "en"), ("zh-tw", "zh-cn")]
)
def test_an_unknown_language_names_the_nearest_and_all(typed: str, nearest: str) -> None:
    with pytest.raises(InputError) as caught:
        languages.check(typed, None)
    assert f"Did you mean {nearest}?" in str(caught.value)
    assert ", ".join(languages.LANGUAGES) in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"model": {}}', b"\xff\xfe\x00"])
def test_a_file_that_is_no_vocabulary_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vocab.json"
    path.write_bytes(content)
    with pytest.raises(BaseModelError, match=r"vocab\.json is not a tokenizer file"):
        languages.check("uk", path)
