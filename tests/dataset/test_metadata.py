from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from test_clips import CLIP

from engine.audio import wav
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


def test_coqui_loads_the_tables(tmp_path: Path) -> None:
    from TTS.config.shared_configs import BaseDatasetConfig
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.datasets import load_tts_samples

    held_out = replace(CLIP, wav="wavs/b.wav", text="Two.", split="eval")
    listed = [CLIP, held_out]
    (tmp_path / "wavs").mkdir()
    for clip in listed:
        wav.write(tmp_path / clip.wav, np.zeros(22_050, np.float32), 22_050)
    for split in ("train", "eval"):
        (tmp_path / metadata.file_name(split)).write_text(metadata.table(listed, split))
    dataset = BaseDatasetConfig(
        formatter="coqui",
        dataset_name="anna",
        path=str(tmp_path),
        meta_file_train="metadata_train.csv",
        meta_file_val="metadata_eval.csv",
        language="fr",
    )
    train, evaluation = load_tts_samples(XttsConfig(datasets=[dataset]))
    found = [(each["audio_file"], each["text"], each["speaker_name"]) for each in train]
    assert found == [(str(tmp_path / CLIP.wav), "Ça va ?", "Anna")]
    assert [each["text"] for each in evaluation] == ["Two."]
