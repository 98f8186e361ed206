from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

from test_clips import CLIP

from engine.dataset import metadata


def test_rows_hold_wav_text_and_speaker_of_the_clips_in_use() -> None:
    held_out = replace(CLIP, wav="wavs/b.wav", split="eval")
    dropped = replace(CLIP, wav="wavs/c.wav", state="dropped")
    table = metadata.table([CLIP, held_out, dropped], "train")
    assert table == "audio_file|text|speaker_name\nwavs/été_00000001.wav|Ça va ?|Anna\n"
    assert metadata.table([], "eval") == "audio_file|text|speaker_name\n"


def test_no_text_can_break_a_row() -> None:
    texts = ["a|b", "two\nlines", '"unclosed', "tab\there", "\u2028sep\x85", 'c\r|\n"d"']
    clips = [replace(CLIP, text=text, speaker='A|n"a') for text in texts]
    table = metadata.table(clips, "train")
    plain = [line.split("|") for line in table.splitlines()]
    quoted = list(csv.reader(io.StringIO(table), delimiter="|"))
    assert plain == quoted
    assert [len(row) for row in plain] == [3] * (len(texts) + 1)
    assert [row[1] for row in plain[1:]] == [
        "a b", "two lines", "unclosed", "tab here", "sep", "c d",
    ]  # fmt: skip


def test_coqui_reads_the_table(tmp_path: Path) -> None:
    from TTS.tts.datasets.formatters import coqui

    (tmp_path / "wavs").mkdir()
    (tmp_path / CLIP.wav).touch()
    (tmp_path / metadata.file_name("train")).write_text(metadata.table([CLIP], "train"))
    (row,) = coqui(str(tmp_path), "metadata_train.csv")
    assert row["text"] == "Ça va ?"
    assert row["audio_file"] == str(tmp_path / CLIP.wav)
    assert row["speaker_name"] == "Anna"
