from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from pathlib import Path

import pytest

from engine.dataset import clips
from engine.dataset.clips import Clip, Reason, SourceRef, Word
from engine.errors import DatasetError

CLIP = Clip(
    id="0123456789ab-00001500",
    source=SourceRef("recordings/été.wav", "0123456789ab" + "0" * 52),
    start=1.5,
    end=4.25,
    wav="wavs/été_00000001.wav",
    text="Ça va ?",
    text_second=None,
    agreement=None,
    words=(Word(" Ça", 1.6, 1.9, 0.98), Word(" va ?", 1.9, 4.1, 0.75)),
    language="fr",
    speaker="Anna",
    split="train",
    state="kept",
    reason="",
    scores={"confidence": 0.857},
)


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    dropped = replace(
        CLIP, id="x", state="dropped", reason=Reason.NO_WORDS.value, wav="", words=(), split=""
    )
    clips.write(tmp_path, [CLIP, dropped])
    assert clips.read(tmp_path) == [CLIP, dropped]


def test_rows_have_the_documented_fields_in_plain_json(tmp_path: Path) -> None:
    clips.write(tmp_path, [CLIP])
    text = (tmp_path / "clips.jsonl").read_text()
    assert "été" in text, "readable without us"
    row = json.loads(text)
    assert list(row) == [
        "id", "source", "start", "end", "wav", "text", "text_second", "agreement", "words",
        "language", "speaker", "split", "state", "reason", "scores", "edited",
    ]  # fmt: skip
    assert row["words"][0] == [" Ça", 1.6, 1.9, 0.98]
    assert row["source"] == {"path": "recordings/été.wav", "sha256": CLIP.source.sha256}
    assert len(fields(Clip)) == len(row)


def test_names_that_are_not_text_come_back(tmp_path: Path) -> None:
    odd = replace(CLIP, source=SourceRef(os.fsdecode(b"bad\xff.wav"), "0"))
    clips.write(tmp_path, [odd])
    assert clips.read(tmp_path) == [odd]


def test_no_table_is_no_clips(tmp_path: Path) -> None:
    assert clips.read(tmp_path) == []


def test_text_with_line_separators_stays_on_its_line(tmp_path: Path) -> None:
    odd = replace(CLIP, text="one\u2028two\x85three\nfour")
    clips.write(tmp_path, [odd, CLIP])
    assert clips.read(tmp_path) == [odd, CLIP]


@pytest.mark.parametrize("line", ["{", "[]", '{"id": 1}', "null"])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    clips.write(tmp_path, [CLIP])
    with (tmp_path / "clips.jsonl").open("a") as handle:
        handle.write(line + "\n")
    with pytest.raises(DatasetError, match=r"clips\.jsonl, line 2 is not a clip"):
        clips.read(tmp_path)


def test_every_reason_is_explained() -> None:
    assert all(len(reason.words) > 10 for reason in Reason)
    assert all(len(reason.remedy) > 10 for reason in Reason)
