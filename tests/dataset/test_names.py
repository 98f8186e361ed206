from __future__ import annotations

import os
from pathlib import Path

from engine.dataset.names import stems, wav_name
from engine.dataset.sources import Source


def source(path: str, number: int) -> Source:
    return Source(Path(path), path, f"{number:064x}"[::-1])


def test_wavs_are_named_after_their_recording() -> None:
    assert list(stems([source("rec/Interview 1.mp3", 1)]).values()) == ["Interview_1"]
    assert wav_name("Interview_1", 7) == "wavs/Interview_1_00000007.wav"


def test_recordings_of_one_name_get_different_stems() -> None:
    found = stems([source("a/tape.wav", 1), source("b/TAPE.flac", 2), source("b/other.wav", 3)])
    assert sorted(found.values()) == ["TAPE-20000000", "other", "tape-10000000"]


def test_no_name_can_break_a_table_or_a_folder() -> None:
    odd = [
        "a|b.wav",
        "new\nline.wav",
        "\x1b[31m.wav",
        "...wav",
        os.fsdecode(b"\xff.wav"),
        "../x.wav",
    ]
    for number, name in enumerate(odd):
        (stem,) = stems([source(name, number)]).values()
        assert stem
        assert not set(stem) & set("|\n\x1b/\\\"' ")
        assert not stem.startswith(".")
        stem.encode()
    (long,) = stems([source("é" * 200 + ".wav", 1)]).values()
    assert len(f"{long}_00000001.wav".encode()) < 255
