"""The feature cache: what it holds, when it is made anew, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from helpers_xtts import MadeClip, made_dataset

from engine.errors import DatasetError, StopRequested
from engine.xtts import features, load
from engine.xtts.features import Encoder


def _build(folder: Path, base: Path, clips: list[MadeClip], **changed: Any) -> features.Features:
    options: dict[str, Any] = {
        "max_tokens": 200,
        "device": torch.device("cpu"),
        "progress": lambda done, total: None,
        "check": lambda: None,
    }
    return features.build(folder / "cache", folder, clips, base, **options | changed)


def test_a_clip_comes_back_as_tokens_codes_and_audio(tmp_path: Path, tiny_base: Path) -> None:
    clips = made_dataset(tmp_path, train=2, held_out=1)
    built = _build(tmp_path, tiny_base, clips)
    assert [entry.id for entry in built.entries] == [clip.id for clip in clips]
    assert built.of_split("train") == [0, 1]
    assert built.of_split("eval") == [2]
    audio, _ = soundfile.read(tmp_path / clips[1].wav, dtype="float32")
    assert np.array_equal(built.audio(1, 100, 5000), audio[100:5000])
    assert len(built.codes(1)) == -(-len(audio) // 1024)
    tokenizer = load.tokenizer_of(tiny_base)
    assert built.tokens(1).tolist() == tokenizer.encode(clips[1].text, lang="en")


def test_codes_are_those_of_coquis_batched_encoder(tmp_path: Path, tiny_base: Path) -> None:
    """A clip that is not the longest of its batch gets the same codes from coqui."""
    from engine.xtts.mel import codes_mel

    clips = made_dataset(tmp_path, train=3, held_out=0)
    built = _build(tmp_path, tiny_base, clips)
    longest = 20_000 + max(entry.samples for entry in built.entries)
    padded = torch.zeros(3, longest)
    for row, entry in enumerate(built.entries):
        padded[row, : entry.samples] = torch.from_numpy(built.audio(row, 0, entry.samples))
    mel = codes_mel(load.mel_stats_of(tiny_base))(padded)
    theirs = load.dvae_of(tiny_base).get_codebook_indices(mel)
    for row, entry in enumerate(built.entries):
        assert theirs[row, : entry.codes].tolist() == built.codes(row).tolist()


def test_nothing_is_computed_twice(
    tmp_path: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips = made_dataset(tmp_path, train=3, held_out=1)
    encoded: list[int] = []
    original = Encoder.encode

    def counted(self: Encoder, audio: Any) -> Any:
        encoded.append(len(audio))
        return original(self, audio)

    monkeypatch.setattr(Encoder, "encode", counted)
    first = _build(tmp_path, tiny_base, clips)
    assert len(encoded) == 4
    assert _build(tmp_path, tiny_base, clips).identity == first.identity
    assert len(encoded) == 4
    edited = [replace(clips[0], text="another text."), *clips[1:3]]
    changed = _build(tmp_path, tiny_base, edited)
    assert changed.identity != first.identity
    assert len(encoded) == 4, "a new text needs no new codes"
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_the_identity_is_that_of_what_is_trained(tmp_path: Path, tiny_base: Path) -> None:
    clips = made_dataset(tmp_path, train=4, held_out=0)
    whole = _build(tmp_path, tiny_base, clips)
    assert _build(tmp_path, tiny_base, clips[::-1]).identity == whole.identity
    lengths = sorted(entry.tokens for entry in whole.entries)
    fewer = _build(tmp_path, tiny_base, clips, max_tokens=lengths[-1] - 1)
    assert fewer.rejected
    assert fewer.identity != whole.identity
    longest = max(entry.samples for entry in whole.entries) / 22_050
    shorter = _build(tmp_path, tiny_base, clips, max_seconds=longest - 0.1)
    assert [each.reason for each in shorter.rejected] == [f"longer than {longest - 0.1:.1f} s"]
    assert _build(tmp_path, tiny_base, clips, max_seconds=longest).identity == whole.identity


def test_what_cannot_be_trained_is_said(tmp_path: Path, tiny_base: Path) -> None:
    clips = made_dataset(tmp_path, train=4, held_out=0)
    soundfile.write(tmp_path / clips[1].wav, np.zeros(256_000), 22_050, subtype="PCM_16")
    strange = [
        replace(clips[0], text="日本 is far"),
        clips[1],
        replace(clips[2], text="a " * 90),
        clips[3],
    ]
    built = _build(tmp_path, tiny_base, strange, max_tokens=100)
    reasons = {entry.id: entry.reason for entry in built.rejected}
    assert reasons == {
        "clip-000": "characters that the vocabulary does not know",
        "clip-001": "longer than 11.6 s",
        "clip-002": "180 tokens, more than 100",
    }
    assert [entry.id for entry in built.entries] == ["clip-003"]


def test_a_missing_or_foreign_wav_is_named(tmp_path: Path, tiny_base: Path) -> None:
    clips = made_dataset(tmp_path, train=2, held_out=0)
    soundfile.write(tmp_path / clips[1].wav, np.zeros((100, 2)), 44_100)
    with pytest.raises(DatasetError, match=r"clip_00000001\.wav is not 22,050 Hz mono"):
        _build(tmp_path, tiny_base, clips)
    (tmp_path / clips[0].wav).unlink()
    with pytest.raises(DatasetError, match=r"clip_00000000\.wav cannot be read"):
        _build(tmp_path, tiny_base, clips)


def test_a_stop_leaves_no_half_cache(tmp_path: Path, tiny_base: Path) -> None:
    clips = made_dataset(tmp_path, train=3, held_out=0)
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        _build(tmp_path, tiny_base, clips, check=check)
    assert list((tmp_path / "cache").iterdir()) == []
