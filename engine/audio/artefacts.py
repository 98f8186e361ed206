"""Faults that the training of a vocoder leaves in what it speaks, and in all that is trained on it.

Looked for in a generated sample, or in a clip that is to be trained on. Where a fault begins to be
found is measured in tests/audio/test_artefacts.py: a line at 8 kHz from 55 to 70 dB under the voice
on, by how quiet the voice itself is there; mirrored harmonics from 40 to 60 dB under the voice on;
noise from 45 dB under it in pauses, and from about 20 dB where a sample has no pause to tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.audio.background import Background
from engine.audio.decode import Samples, open_stream
from engine.audio.harmonics import Voiced, voiced
from engine.audio.level import frame_levels
from engine.audio.line import Line, steady_line
from engine.audio.mirrored import Mirror, mirrored
from engine.audio.noise_floor import NoiseFloor, noise_floor
from engine.audio.resample import resample
from engine.audio.speech import RATE as SPEECH_RATE
from engine.audio.speech import find_speech

# Of a longer file the beginning is looked at.
MOST_SECONDS = 180
# In dB over the highest of all else around it. No clean sample of the tests had more than 1.
_LEAST_LINE = 6.0
# In dB, and in standard errors. No clean voice of the tests had more than 2.
_LEAST_IMAGES, _LEAST_SURETY = 3.0, 5.0
# ACX asks audiobooks for 37 to 42 dB between voice and noise, and a pretrain gives its noise to
# every voice that is trained on it.
_MOST_IN_PAUSES = -45.0
# The buzziest clean voice of the tests has -27.
_MOST_BETWEEN = -24.0
_MENDED = "Applio is said to have mended it in 3.2.8: train with that version or a newer one"


@dataclass(frozen=True)
class Artefact:
    """A fault that was looked for. `code` names it for programs, `measured` are its numbers.

    `found` is None where the sample cannot tell; `seen` says why. `remedy` is "" unless it is found.
    """

    code: str
    name: str
    found: bool | None
    seen: str
    means: str
    remedy: str
    measured: Line | Mirror | NoiseFloor | None


def of_file(path: Path, check: Callable[[], None] = lambda: None) -> tuple[Artefact, ...]:
    """Look for all faults in the first three minutes of a wav, flac or other recording.

    `check` is called now and then, and may raise to end it. Raises SourceError.
    """
    samples, rate = _beginning(path, check)
    heard = resample(samples, rate, SPEECH_RATE)
    spans = find_speech(heard, lambda *_: check())
    background = Background(frame_levels(heard, SPEECH_RATE), spans)
    voice = voiced(samples, rate)
    return (line(samples, rate), images(voice), noise(background, voice))


def of_clip(path: Path) -> tuple[Artefact, ...]:
    """The same without the noise floor, for a clip whose noise is known. Raises SourceError."""
    samples, rate = _beginning(path, lambda: None)
    return (line(samples, rate), images(voiced(samples, rate)))


def _beginning(path: Path, check: Callable[[], None]) -> tuple[Samples, int]:
    blocks: list[Samples] = []
    with open_stream(path) as stream:
        for block in stream.blocks:
            check()
            blocks.append(block)
            if sum(map(len, blocks)) >= MOST_SECONDS * stream.rate:
                break
        return np.concatenate(blocks)[: MOST_SECONDS * stream.rate], stream.rate


def line(samples: Samples, rate: int) -> Artefact:
    """The 8 kHz line in samples of shape (n,)."""
    seen = steady_line(samples, rate)
    found = None if seen is None else seen.over >= _LEAST_LINE
    if seen is None:
        told = "cannot be told: silence, under half a second, or a rate without 8 kHz"
    elif found:
        told = (
            f"a tone at {round(seen.hertz, -1):,.0f} Hz that never stops, {seen.over:.0f} dB over "
            f"all around it and {-seen.level:.0f} dB under the voice"
        )
    else:
        told = "no steady tone at about 8,000 Hz"
    return Artefact(
        "line_8k",
        "8 kHz line",
        found,
        told,
        "A thin line across the whole spectrogram, in speech and pauses: a fine whistle. It comes "
        "from training from scratch, and what is trained on it whistles too.",
        f"{_MENDED}, or finetune a pretrain without the line. If your recordings have the tone "
        "already, take it out with a narrow notch filter."
        if found
        else "",
        seen,
    )


def images(voice: Voiced) -> Artefact:
    """Mirrored harmonics in the voiced frames of a sample."""
    seen = mirrored(voice)
    found = None
    told = "cannot be told: too little voice with a clear pitch that changes; give 3 s and more"
    if seen is not None:
        found = seen.over >= _LEAST_IMAGES and seen.surety >= _LEAST_SURETY
        told = "no images of the voice between its harmonics"
    if seen is not None and found:
        told = (
            f"the voice mirrored around {seen.hertz:,.0f} Hz: lines {seen.over:.0f} dB high between "
            f"its harmonics, clearest at {seen.low:,.0f} to {seen.high:,.0f} Hz"
        )
    return Artefact(
        "mirrored_harmonics",
        "mirrored harmonics",
        found,
        told,
        "Harmonic distortion: images of the voice where it has no harmonics, which sound metallic. "
        "Any training of a pretrain can leave them.",
        f"{_MENDED}, and speak the same sentence again. If your recordings have it, they were "
        "resampled badly: convert the originals again."
        if found
        else "",
        seen,
    )


def noise(background: Background, voice: Voiced) -> Artefact:
    """The noise floor, by the pauses where there are any, else by what is between harmonics."""
    seen = noise_floor(background, voice)
    if seen.pauses is not None:
        found: bool | None = seen.pauses > _MOST_IN_PAUSES
        told = f"noise {-seen.pauses:.0f} dB under the voice in its pauses"
        if seen.between is not None:
            told += f", at least {-seen.between:.0f} dB between its harmonics"
    elif seen.between is not None:
        found = seen.between > _MOST_BETWEEN
        told = f"no pause; noise or breath {-seen.between:.0f} dB under the voice at most"
    else:
        found, told = None, "cannot be told: no speech with a pause, and no voice with a pitch"
    return Artefact(
        "noise_floor",
        "noise floor",
        found,
        told,
        "A pretrain that was trained with noise adds it to every voice that is trained on it.",
        "Train on clean recordings: take the noisy ones out, or reduce their noise gently (6 to "
        "12 dB) first. For a voice, take a pretrain with less noise."
        if found
        else "",
        seen,
    )
