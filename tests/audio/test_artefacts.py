"""Faults of vocoder training: each with samples that have it, and none found in clean ones."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_faults import levels_of, spans_of
from helpers_recordings import piece
from helpers_vocoder import Made, made_voice, sung, whistling, with_images, with_line, with_noise

from engine.audio import artefacts
from engine.audio.artefacts import Artefact
from engine.audio.background import Background
from engine.audio.decode import Samples, read
from engine.audio.harmonics import voiced
from engine.audio.level import frame_levels
from engine.audio.resample import resample
from engine.errors import SourceError

RATES = (32_000, 40_000, 48_000)
PITCHES = (85.0, 120.0, 210.0, 330.0)
SPEAKERS = ("journey", "lighthouse", "market")
long = functools.partial(pytest.param, marks=pytest.mark.long)


def look(samples: Samples, rate: int) -> dict[str, Artefact]:
    """The faults that need no speech detector."""
    found = (artefacts.line(samples, rate), artefacts.images(voiced(samples, rate)))
    return {each.code: each for each in found}


def noise_of(made: Made) -> Artefact:
    heard = resample(made.samples, made.rate, 16_000)
    background = Background(frame_levels(heard, 16_000), made.spans)
    return artefacts.noise(background, voiced(made.samples, made.rate))


@functools.cache
def made(rate: int, pitch: float) -> Made:
    return made_voice(3.0, rate, pitch, seed=round(pitch))


@functools.cache
def spoken(name: str, rate: int) -> Samples:
    return piece(name, 5.0, rate)


CLEAN = {
    **{f"{p:.0f} Hz at {r}": functools.partial(made, r, p) for r in RATES for p in PITCHES},
    "no pause, one tone": lambda: made_voice(3, 48_000, 203.7, glide=0, jitter=0, pauses=False),
    "harmonics at 8 kHz": lambda: made_voice(3, 40_000, 200, glide=0, jitter=0, pauses=False),
    "eighth at 8 kHz": lambda: made_voice(3, 32_000, 1_000, glide=0, jitter=0, pauses=False),
    "sung with vibrato": lambda: sung(3, 40_000, (440.0,), vibrato=0.01),
    "a chord": lambda: sung(3, 48_000, (196.0, 246.9, 293.7, 392.0)),
    "two at once": lambda: made(40_000, 120.0).mixed(made(40_000, 210.0)),
    "a whistle": lambda: whistling(made(48_000, 120.0), 8_000.0),
    "quiet": lambda: made(40_000, 210.0).times(0.001),
    "16 bits": lambda: made(48_000, 85.0).times(0.02).rounded(),
}


@pytest.mark.parametrize("name", CLEAN)
def test_nothing_is_found_in_a_clean_voice(name: str) -> None:
    voice = CLEAN[name]()
    for each in look(voice.samples, voice.rate).values():
        assert not each.found, each
        assert each.remedy == ""


@pytest.mark.parametrize("rate", [long(22_050), long(32_000), 40_000, long(48_000)])
@pytest.mark.parametrize("name", SPEAKERS)
def test_nothing_is_found_in_real_speech(name: str, rate: int) -> None:
    for each in look(spoken(name, rate), rate).values():
        assert each.found is False, each


# --- the 8 kHz line -----------------------------------------------------------------------------


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("hertz", [long(7_950.0), 8_000.0, long(8_020.0)])
@pytest.mark.parametrize("level", [long(-30.0), -55.0])
def test_a_line_is_found(rate: int, hertz: float, level: float) -> None:
    for voice in (made(rate, 120.0).samples, made(rate, 330.0).samples):
        line = look(with_line(voice, rate, level, hertz), rate)["line_8k"]
        assert line.found, line
        assert isinstance(line.measured, artefacts.Line)
        assert line.measured.hertz == pytest.approx(hertz, abs=12.0)
        assert "3.2.8" in line.remedy


def test_a_line_is_found_under_noise_and_a_faint_one_where_nothing_is_over_it() -> None:
    voice = with_noise(spoken("market", 40_000), -30.0)
    assert look(with_line(voice, 40_000, -50.0), 40_000)["line_8k"].found
    assert look(with_line(spoken("market", 40_000), 40_000, -70.0), 40_000)["line_8k"].found


@pytest.mark.parametrize("pitch", [200.0, 1_000.0])
def test_a_line_is_told_from_the_harmonic_beside_it(pitch: float) -> None:
    voice = made_voice(3, 48_000, pitch, glide=0, jitter=0, pauses=False).samples
    assert look(with_line(voice, 48_000, -40.0, 7_970.0), 48_000)["line_8k"].found


def test_what_has_no_8_khz_is_not_judged() -> None:
    assert look(spoken("journey", 16_000), 16_000)["line_8k"].found is None
    assert look(np.zeros(40_000, np.float32), 40_000)["line_8k"].found is None
    assert look(made(40_000, 120.0).samples[:9_000], 40_000)["line_8k"].found is None
    assert look(np.zeros(0, np.float32), 40_000)["line_8k"].found is None


# --- mirrored harmonics -------------------------------------------------------------------------

FOLDS = {32_000: (4_000, 8_000), 40_000: (5_000, 8_000, 10_000), 48_000: (6_000, 12_000)}


@pytest.mark.parametrize(("rate", "fold"), [(r, f) for r, folds in FOLDS.items() for f in folds])
@pytest.mark.parametrize(
    ("level", "pitches"), [(-40.0, PITCHES[:3:2]), long(-40.0, PITCHES), long(-20.0, PITCHES)]
)
def test_images_are_found_with_the_frequency_of_the_mirror(
    rate: int, fold: int, level: float, pitches: tuple[float, ...]
) -> None:
    for pitch in pitches:
        voice = with_images(made(rate, pitch).samples, rate, fold, level)
        mirror = look(voice, rate)["mirrored_harmonics"]
        assert mirror.found, (pitch, mirror)
        assert isinstance(mirror.measured, artefacts.Mirror)
        assert mirror.measured.hertz == fold
        assert "3.2.8" in mirror.remedy


@pytest.mark.parametrize(
    ("name", "level", "folds"),
    [
        *zip(SPEAKERS, (-50.0, -50.0, -50.0), ((5_000,), (8_000,), (6_000,)), strict=True),
        *(
            long(name, level, (5_000, 6_000, 8_000))
            for name in SPEAKERS
            for level in (-20.0, -50.0)
        ),
    ],
)
def test_images_are_found_in_real_speech(name: str, level: float, folds: tuple[int, ...]) -> None:
    for fold in folds:
        voice = with_images(spoken(name, 40_000), 40_000, fold, level)
        assert look(voice, 40_000)["mirrored_harmonics"].found, fold


def test_a_line_is_no_image_and_an_image_no_line() -> None:
    voice = made(40_000, 120.0).samples
    assert not look(with_line(voice, 40_000, -30.0), 40_000)["mirrored_harmonics"].found
    assert not look(with_images(voice, 40_000, 5_000, -20.0), 40_000)["line_8k"].found


def test_without_a_pitch_there_is_no_telling() -> None:
    noise = np.random.default_rng(1).standard_normal(80_000).astype(np.float32) * 0.1
    assert look(noise, 40_000)["mirrored_harmonics"].found is None
    assert look(noise[:100], 40_000)["mirrored_harmonics"].found is None


# --- noise --------------------------------------------------------------------------------------


@pytest.mark.parametrize("pitch", [long(85.0), 120.0, 210.0, long(330.0)])
def test_noise_in_pauses_is_measured(pitch: float) -> None:
    voice = made(40_000, pitch)
    assert noise_of(voice).found is False
    for level in (-40.0, -20.0):
        # Up to 8,000 Hz are two fifths of white noise up to 20,000 Hz, 4 dB less.
        each = noise_of(voice.like(with_noise(voice.samples, level)))
        assert each.found
        assert isinstance(each.measured, artefacts.NoiseFloor)
        assert each.measured.pauses == pytest.approx(level - 4.0, abs=3.0)


@pytest.mark.parametrize("pitch", [85.0, long(120.0), long(210.0), 330.0])
def test_without_a_pause_noise_is_heard_between_harmonics(pitch: float) -> None:
    voice = made_voice(3, 40_000, pitch, pauses=False)
    assert noise_of(voice).found is False
    noisy = noise_of(voice.like(with_noise(voice.samples, -14.0)))
    assert noisy.found, noisy


def test_real_speech_stands_on_little_noise() -> None:
    voice = piece("journey", 12.0, 22_050)
    background = Background(levels_of(voice), spans_of(voice))
    assert artefacts.noise(background, voiced(voice, 22_050)).found is False


# --- many voices --------------------------------------------------------------------------------

TEXT = (
    "The harbour was quiet this morning. We saw seven ships, and a small boat with red sails. "
    "Is this the last station? Yes, she said, please close the shutters before the storm."
)
FLITE = ("kal16", "awb", "rms", "slt")
ESPEAK = ("en-us", "en-gb+f3", "de", "de+f2", "fr", "es", "it", "ru", "en-us+m7", "en-us+klatt3")


@pytest.mark.long
@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("voice", [*FLITE, *ESPEAK])
def test_synthetic_voices(tmp_path: Path, voice: str, rate: int) -> None:
    path = tmp_path / "voice.wav"
    program = ["flite", "-voice", voice, "-t", TEXT, "-o"]
    if voice in ESPEAK:
        program = ["espeak-ng", "-v", voice, TEXT, "-w"]
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    subprocess.run([*program, str(path)], check=True)
    samples, own = read(path)
    clean = resample(samples, own, rate)
    assert not [each for each in look(clean, rate).values() if each.found]
    assert look(with_line(clean, rate, -50.0), rate)["line_8k"].found
    for fold in FOLDS[rate][:1]:
        mirror = look(with_images(clean, rate, fold, -30.0), rate)["mirrored_harmonics"]
        assert mirror.found, mirror


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_a_file_is_looked_at(tmp_path: Path, suffix: str) -> None:
    faulty = with_line(with_images(spoken("journey", 40_000), 40_000, 5_000, -25.0), 40_000, -40.0)
    path = tmp_path / f"sample.{suffix}"
    soundfile.write(path, with_noise(faulty, -30.0), 40_000)
    found = artefacts.of_file(path)
    assert [each.code for each in found if each.found] == [
        *("line_8k", "mirrored_harmonics", "noise_floor")
    ]
    assert [each.code for each in artefacts.of_clip(path)] == ["line_8k", "mirrored_harmonics"]


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sample.wav"
    path.write_bytes(b"RIFF, but no")
    with pytest.raises(SourceError, match=r"sample\.wav"):
        artefacts.of_file(path)
