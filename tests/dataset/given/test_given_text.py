from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dataset.given import text as given_text
from engine.errors import TranscriptError


def texts(text: str) -> list[str]:
    return [word.text for word in given_text.words(text, 1)]


@pytest.mark.parametrize(
    "content",
    ["Grüß dich".encode(), "\ufeffGrüß dich".encode(), "Grüß dich".encode("utf-16")],
)
def test_the_encodings_that_need_no_guess_are_read(content: bytes) -> None:
    assert given_text.decode(Path("a.txt"), content) == "Grüß dich"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("fine\nGrüß dich".encode("latin-1"), ("line 2", "0xfc", "iconv -f WINDOWS-1252 -t UTF-8")),
        ("one\r\ntwo\r\n“three”".encode("cp1252"), ("line 3", "0x93", "Save it as UTF-8")),
        ("fine\nGrüß dich".encode("utf-16-le"), ("line 1", "NUL", "UTF-16 without its mark")),
        (b"one\ntw\0o", ("line 2", "NUL")),
        (b"\xff\xfea\0\n\0\0\xd8", ("line 2", "UTF-16")),
    ],
)
def test_other_encodings_are_refused_with_line_and_remedy(
    content: bytes, words: tuple[str, ...]
) -> None:
    with pytest.raises(TranscriptError) as caught:
        given_text.decode(Path("a.txt"), content)
    assert all(word in str(caught.value) for word in ("a.txt", *words))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_decoding_raises_nothing_else(content: bytes) -> None:
    with suppress(TranscriptError):
        assert "\0" not in given_text.decode(Path("a.txt"), content)


def test_files_that_are_no_text_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.srt")
    (tmp_path / "folder.srt").mkdir()
    with (tmp_path / "large.srt").open("wb") as handle:
        handle.truncate(100_000_000)
    for name, why in (
        ("pipe", "not a regular file"),
        ("folder", "not a regular|directory"),
        ("large", "has 100 MB"),
        ("gone", "No such file"),
    ):
        with pytest.raises(TranscriptError, match=why):
            given_text.read(tmp_path / f"{name}.srt")


@pytest.mark.parametrize(
    ("text", "spoken", "sounds"),
    [
        ("<i>Well</i>, {\\an8}<b>no</b>.", "Well, no.", 0),
        ('<font color="#ffff00">Yes</font>', "Yes", 0),
        ("<v Anna>Hello<00:00:01.000> there</v>", "Hello there", 0),
        ("<c.yellow.bg_blue>Hello</c>", "Hello", 0),
        ("Fish &amp; chips &#39;n&#39; peas", "Fish & chips 'n' peas", 0),
        ("[music]", "", 1),
        ("(laughs) Good. [door slams]", "Good.", 2),
        ("♪ la la la ♪ And now", "And now", 1),
        ("♪", "", 1),
        ("- Who?\n- Me.", "Who? Me.", 0),
        (">> ANNA: Who is it?", "Who is it?", 0),
        ("Dr. Smith: no.", "Dr. Smith: no.", 0),
        ("It is 5 < 6 and 7 > 3.", "It is 5 < 6 and 7 > 3.", 0),
        ("one\ntwo", "one two", 0),
        ("...", "", 0),
    ],
)
def test_only_what_is_spoken_is_left_of_subtitles(text: str, spoken: str, sounds: int) -> None:
    found = given_text.of_subtitles(text)
    assert (found.text, found.sounds) == (spoken, sounds)


@pytest.mark.parametrize(
    ("text", "spoken", "sounds"),
    [
        ("(laughs) That was good. (Applause.)", "That was good.", 2),
        ("The king (Charles) was there (1847).", "The king (Charles) was there (1847).", 0),
        ("He said [sic] it.", "He said it.", 1),
        ("AT&amp;T", "AT&T", 0),
    ],
)
def test_round_brackets_in_running_text_are_spoken(text: str, spoken: str, sounds: int) -> None:
    found = given_text.of_running_text(text)
    assert (found.text, found.sounds) == (spoken, sounds)


def test_control_characters_are_left_out_and_counted() -> None:
    found = given_text.of_subtitles("a\x1b[31mb\u202ec&#27;d می\u200cخواهم")
    assert found.text == "a[31mbcd می\u200cخواهم"
    assert found.controls == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Well – no.", [" Well –", " no."]),
        ("«Ja», 12 mal", [" «Ja»,", " 12", " mal"]),
        ("- yes", [" - yes"]),
        ("你好，世界。", ["你", "好，", "世", "界。"]),
        ("『カード』を AI", ["『カー", "ド』", "を", " AI"]),
        ("안녕 하세요", [" 안녕", " 하세요"]),
        ("...", []),
    ],
)
def test_words_keep_their_marks(text: str, words: list[str]) -> None:
    assert texts(text) == words


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("ab 1.,-(«你ーカ。"), max_size=30))
def test_words_hold_all_of_a_text(text: str) -> None:
    found = texts(text)
    if found:
        assert "".join("".join(found).split()) == "".join(text.split())
    assert all(any(c.isalnum() for c in word) for word in found)
