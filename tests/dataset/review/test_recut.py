from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_audio import encode
from helpers_faults import speech
from helpers_review import clip_of, made, recording, samples_of, source_of

from engine import project as projects
from engine.audio.loudness import Meter
from engine.audio.resample import resample
from engine.dataset import cutting, sources
from engine.dataset.clips import RATE, Clip
from engine.dataset.review import recut
from engine.dataset.sound import measured
from engine.errors import DatasetError, InputError
from engine.project import Project


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000, 12_345])
def test_a_part_of_a_recording_is_what_preparation_cuts(tmp_path: Path, rate: int) -> None:
    path = tmp_path / "x.wav"
    random = np.random.default_rng(1)
    noise = resample(random.standard_normal(8 * 4_000).astype(np.float32) / 8, 4_000, rate)
    soundfile.write(path, noise, rate, subtype="FLOAT")
    whole = resample(noise, rate, RATE)
    spans = [(0.0, 1.0), (0.333, 4.2), (5.001, 7.25), (7.2, 7.999)]
    for (start, end), part in zip(spans, recut.from_recording(path, spans), strict=True):
        there = whole[round(start * RATE) : round(end * RATE)]
        assert len(part) == len(there)
        middle = slice(200, len(part) - 200)
        assert np.abs(part[middle] - there[middle]).max() < 0.001
        assert part[0] == 0.0


def test_parts_of_any_format_can_be_read(tmp_path: Path) -> None:
    time = np.arange(6 * 44_100) / 44_100
    sound = (0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    encode(tmp_path / "x.m4a", sound, 44_100, "aac")
    (part,) = recut.from_recording(tmp_path / "x.m4a", [(2.0, 3.5)])
    assert len(part) == round(1.5 * RATE)
    assert np.abs(part).max() == pytest.approx(0.3, abs=0.03)


def test_a_cut_goes_to_the_quietest_place_nearby(tmp_path: Path) -> None:
    project = made(tmp_path / "anna")
    source = source_of(project, "rec/talk.wav")
    clip = clip_of(source, 3.0, 6.0, 1)
    samples = samples_of(source)[3 * RATE : 6 * RATE]
    # The recording is silent in the first 40 ms of each second.
    for wanted in (4.9, 4.96, 5.0, 5.1):
        left, right = recut.split(clip, samples, wanted, 1.0)
        assert 5.0 <= left.clip.end == right.clip.start <= 5.045
    left, right = recut.split(clip, np.zeros_like(samples), 4.4, 1.0)
    assert left.clip.end == pytest.approx(4.4, abs=0.006), "of equal places the nearest"


def test_scores_are_those_of_the_parts(tmp_path: Path) -> None:
    project = made(tmp_path / "anna")
    clip = clip_of(source_of(project, "rec/talk.wav"), 3.0, 6.0, 1)
    words = [word._replace(probability=0.5 if word.start < 4 else 0.9) for word in clip.words]
    clip = replace(clip, words=tuple(words), agreement=0.5, text_second="x")
    left, right = recut.split(clip, np.zeros(3 * RATE, np.float32), 4.0, 1.0)
    assert (left.clip.scores["confidence"], right.clip.scores["confidence"]) == (0.5, 0.9)
    assert "tokens" not in left.clip.scores
    assert (left.clip.agreement, left.clip.text_second) == (None, None)


def test_a_recording_that_changed_is_not_taken(tmp_path: Path) -> None:
    project = made(tmp_path / "anna")
    source = source_of(project, "rec/talk.wav")
    assert sources.unchanged(project, source.name, source.sha256) == source.path.absolute()
    recording(source.path, pitch=201.0)
    assert sources.unchanged(project, source.name, source.sha256) is None
    source.path.unlink()
    assert sources.unchanged(project, source.name, source.sha256) is None
    source.path.mkdir()
    assert sources.unchanged(project, source.name, source.sha256) is None


def test_audio_of_a_clip_without_any_says_why(tmp_path: Path) -> None:
    project = made(tmp_path / "anna")
    source = source_of(project, "rec/talk.wav")
    clip = clip_of(source, 3.0, 6.0, 1, wav="")
    assert len(recut.audio(project, clip)) == 3 * RATE
    source.path.unlink()
    with pytest.raises(InputError, match=r"recording rec/talk\.wav has changed or is gone"):
        recut.audio(project, clip)
    broken = clip_of(source, 3.0, 6.0, 1)
    (project.dataset_dir / broken.wav).write_bytes(b"")
    with pytest.raises(DatasetError, match="cannot be read"):
        recut.audio(project, broken)
    outside = clip_of(source, 3.0, 6.0, 1, wav="../../x.wav")
    with pytest.raises(InputError, match="does not lead to a place inside"):
        recut.audio(project, outside)


def test_numbers_go_on_behind_the_highest(tmp_path: Path) -> None:
    wavs = tmp_path / "wavs"
    wavs.mkdir()
    assert recut.next_number(tmp_path) == 90_000_000
    for name in ("a_00000007.wav", "b_90000041.wav", "c_9000004.wav", "d_9.wav", "_9abcdefg.wav"):
        (wavs / name).touch()
    assert recut.next_number(tmp_path) == 90_000_042


def spoken(folder: Path, **values: float) -> tuple[Project, Clip, Clip]:
    """Two neighbours of a recording whose second half is 12 dB quieter, with their wavs."""
    project = projects.create(folder, name="Anna", language="en", sources=[], values=dict(values))
    voice = speech().copy()
    voice[6 * RATE :] *= np.float32(0.25)
    (folder / "rec").mkdir()
    soundfile.write(folder / "rec" / "talk.wav", voice, RATE, subtype="FLOAT")
    source = source_of(project, "rec/talk.wav")
    pair = []
    for number, (start, end) in enumerate(((2.0, 6.0), (6.2, 10.0)), 1):
        scores = measured(voice[round(start * RATE) : round(end * RATE)]) | {"snr": 40.0 - number}
        pair.append(clip_of(source, start, end, number, scores=scores))
    loudness = project.settings.dataset.loudness
    cutting.write_wavs(project.dataset_dir, pair, voice, loudness, lambda done, total: None)
    return project, pair[0], pair[1]


def loudness_of(project: Project, clip: Clip) -> float:
    return Meter(RATE).loudness(soundfile.read(project.dataset_dir / clip.wav, dtype="float32")[0])


def test_parts_come_to_the_loudness_of_all_clips_and_tell_of_the_recording(tmp_path: Path) -> None:
    project, clip, _ = spoken(tmp_path / "anna")
    pieces = recut.split(clip, recut.audio(project, clip), 4.0, 1.0)
    whole = speech()
    for number, piece in enumerate(pieces):
        made = recut.write(project, piece, recut.FIRST_NUMBER + number, "talk")
        assert loudness_of(project, made) == pytest.approx(-23.0, abs=0.1)
        there = measured(whole[round(made.start * RATE) : round(made.end * RATE)])
        assert made.scores["level"] == pytest.approx(there["level"], abs=0.3)
        assert made.scores["bandwidth"] == pytest.approx(there["bandwidth"], abs=350)
        gain = made.scores["level"] - clip.scores["level"]
        assert made.scores["snr"] == pytest.approx(39.0 + gain, abs=0.1)


def test_a_merge_keeps_what_was_louder_louder(tmp_path: Path) -> None:
    project, left, right = spoken(tmp_path / "anna")
    apart = left.scores["level"] - right.scores["level"]
    assert apart > 9
    from_recording = recut.merge(project, left, right)
    (tmp_path / "anna" / "rec" / "talk.wav").unlink()
    from_wavs = recut.merge(project, left, right)
    for number, piece in enumerate((from_recording, from_wavs)):
        assert piece.clip.scores["snr"] == 38.0, "the worse of the two"
        assert piece.clip.scores["level"] == pytest.approx(
            from_recording.clip.scores["level"], abs=0.3
        )
        made = recut.write(project, piece, recut.FIRST_NUMBER + number, "talk")
        assert loudness_of(project, made) == pytest.approx(-23.0, abs=0.1)
        samples = recut.audio(project, made)
        halves = samples[: 4 * RATE], samples[round(4.2 * RATE) :]
        loud, quiet = (Meter(RATE).loudness(half) for half in halves)
        assert loud - quiet == pytest.approx(apart, abs=0.3)


def test_without_a_loudness_nothing_is_made_louder(tmp_path: Path) -> None:
    project, _, clip = spoken(tmp_path / "anna", **{"dataset.loudness": 0.0})
    left, _ = recut.split(clip, recut.audio(project, clip), 8.0, 1.0)
    made = recut.write(project, left, recut.FIRST_NUMBER, "talk")
    assert loudness_of(project, made) == pytest.approx(made.scores["level"], abs=0.1)
