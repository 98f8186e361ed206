from __future__ import annotations

import random
from pathlib import Path

import pytest
from helpers_clips import made_clip
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dataset.given import tables as text_tables
from engine.dataset.given.flaws import Kind
from engine.dataset.given.tables import Table
from engine.dataset.metadata import table
from engine.errors import TranscriptError

HERE = Path("/data/voice")


def parse(content: str) -> Table:
    return text_tables.parse(HERE / "metadata.csv", content)


def text(found: Table, name: str) -> str | None:
    row = found.row(HERE / name)
    return row.text if row else None


@pytest.mark.parametrize(
    "content",
    [
        "a1|Hello, 5 men.|Hello, five men.\nb2|Bye.|Bye.",
        "wavs/a1.wav|Hello, five men.\nwavs/b2.wav|Bye.",
        "audio_file|text|speaker_name\nwavs/a1.wav|Hello, five men.|Anna\nwavs/b2.wav|Bye.|Anna",
        "id|text|normalized_text\r\na1|Hello, 5 men.|Hello, five men.\r\nb2|Bye.|",
        "A1|Hello, five men.|anna\nB2|Bye.|anna\nC3|So.|anna",
        ".\\wavs\\a1.wav|Hello, five men.\n\nb2.FLAC|Bye.",
    ],
)
def test_tables_name_recordings_in_their_folder_or_in_wavs(content: str) -> None:
    found = parse(content)
    assert text(found, "wavs/a1.wav") == text(found, "a1.flac") == "Hello, five men."
    assert text(found, "b2.wav") == "Bye."
    assert text(found, "other/b2.wav") is None
    assert found.flaws == []


def test_whole_paths_are_taken_as_they_are() -> None:
    found = parse("/data/voice/wavs/a.wav|one\n/elsewhere/b.wav|two")
    assert text(found, "wavs/a.wav") == "one"
    assert text(found, "b.wav") is None


def test_quotes_of_pandas_are_taken_off() -> None:
    found = parse('audio_file|text|speaker_name\nwavs/a.wav|"""No,"" he said."|"x"\nb|"Yes."|x')
    assert text(found, "a.wav") == '"No," he said.'
    assert text(found, "b.wav") == '"Yes."'


def test_our_own_tables_are_read_again() -> None:
    dice = random.Random(1)
    ours = [made_clip(number, 1, 9.0 * number, dice) for number in range(3)]
    found = text_tables.parse(HERE / "metadata_train.csv", table(ours, "train"))
    for each in ours:
        row = found.row(HERE / each.wav)
        assert row is not None
        assert row.text == each.text


def test_rows_that_cannot_be_used_are_told_with_their_line() -> None:
    found = parse("a|one\nb\nc|[music]\nd|two|three|four\ne|x\ne|y\nf|z\nf|z\ng|w\x1bv")
    assert sorted((flaw.line, flaw.kind) for flaw in found.flaws) == [
        (2, Kind.COLUMNS),
        (3, Kind.NO_TEXT),
        (4, Kind.COLUMNS),
        (6, Kind.TWICE),
        (9, Kind.CONTROLS),
    ]
    assert [text(found, f"{name}.wav") for name in "acefg"] == ["one", None, None, "z", "wv"]


@pytest.mark.parametrize("content", ["", "a,b,c\n", "a|b|c|d|e\n"])
def test_what_is_no_table_is_refused(content: str) -> None:
    with pytest.raises(TranscriptError, match=r"metadata\.csv, line 1, has"):
        parse(content)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("metadata.csv", True),
        ("Metadata_Train.CSV", True),
        ("transcripts.txt", True),
        ("filelist.txt", True),
        ("anna.list", True),
        ("readme.txt", False),
        ("data.csv", False),
    ],
)
def test_which_files_are_looked_into(name: str, expected: bool) -> None:
    assert text_tables.is_table(name) is expected


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from('ab|\n"\\/. é'), max_size=60))
def test_parsing_raises_nothing_else(content: str) -> None:
    try:
        found = parse(content)
    except TranscriptError:
        return
    assert len(found.unused([])) == len(found)
