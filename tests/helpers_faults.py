"""Speech with one thing wrong with it, as recordings have it. Levels in dB relative to the voice."""

from __future__ import annotations

import functools

import numpy as np
from helpers_recordings import piece
from numpy.typing import NDArray

from engine.audio.level import frame_levels
from engine.audio.resample import resample
from engine.audio.speech import Span

RATE = 22_050
Samples = NDArray[np.float32]


@functools.cache
def speech(seconds: float = 30.0) -> Samples:
    """Sentences with pauses and hardly any noise, -6 dB at the loudest; take it as frozen."""
    clean = piece("journey", seconds, RATE)
    return with_hiss(clean * np.float32(0.5 / np.abs(clean).max()), -65.0)


def voice_level(samples: Samples) -> float:
    """The mean level of the loud parts in dB."""
    power = 10.0 ** (frame_levels(samples, 22_000).astype(np.float64) / 10)
    return float(10 * np.log10(power[power > power.max() / 1000].mean()))


def spans_of(samples: Samples, depth: float = 45.0) -> list[Span]:
    """Where somebody speaks, by the level alone; for clean recordings."""
    levels = frame_levels(resample(samples, RATE, 16_000), 16_000)
    loud = np.flatnonzero(levels > levels.max() - depth)
    groups = np.split(loud, np.flatnonzero(np.diff(loud) > 15) + 1)
    return [Span(float(g[0]) / 100, float(g[-1] + 1) / 100) for g in groups if len(g)]


def levels_of(samples: Samples) -> Samples:
    """The levels as preparation measures them, of each 10 ms."""
    return frame_levels(resample(samples, RATE, 16_000), 16_000)


def _added(voice: Samples, other: NDArray[np.float64], level: float) -> Samples:
    other = other / np.sqrt(np.mean(other**2)) * 10.0 ** ((voice_level(voice) + level) / 20)
    return (voice + other).astype(np.float32)


def with_hiss(voice: Samples, level: float) -> Samples:
    return _added(voice, np.random.default_rng(3).standard_normal(len(voice)), level)


def with_hum(voice: Samples, mains: float, level: float) -> Samples:
    time = np.arange(len(voice)) / RATE
    harmonics = ((1, 1.0), (2, 0.5), (3, 0.6), (4, 0.2), (5, 0.3))
    hum = sum(share * np.sin(2 * np.pi * mains * n * time + n) for n, share in harmonics)
    return _added(voice, np.asarray(hum), level)


def with_music(voice: Samples, level: float) -> Samples:
    """Under it four chords of plucked strings, 2 s each."""
    time = np.arange(len(voice)) / RATE
    music = np.zeros(len(voice))
    for beat in range(int(time[-1] // 2) + 1):
        part = slice(beat * 2 * RATE, (beat + 1) * 2 * RATE)
        since = time[part] - 2 * beat
        for note in ((60, 64, 67), (57, 60, 64), (65, 69, 72), (67, 71, 74))[beat % 4]:
            hertz = 440 * 2 ** ((note - 69) / 12)
            for harmonic in (1, 2, 3, 4):
                wave = np.sin(2 * np.pi * hertz * harmonic * since) / harmonic
                music[part] += wave * np.exp(-0.7 * since)
    return _added(voice, music, level)


def in_room(voice: Samples, seconds: float) -> Samples:
    """In a room in which sound falls by 60 dB in so many seconds, as loud as the voice itself."""
    time = np.arange(round(1.2 * seconds * RATE)) / RATE
    echo = np.random.default_rng(5).standard_normal(len(time)) * 10.0 ** (-3 * time / seconds)
    echo /= np.sqrt((echo**2).sum())
    echo[0] = 1.0
    length = len(voice) + len(echo)
    wet = np.fft.irfft(np.fft.rfft(voice, length) * np.fft.rfft(echo, length), length)
    return (wet[: len(voice)] * (0.5 / np.abs(wet).max())).astype(np.float32)


def through_phone(voice: Samples, hertz: int = 4_000) -> Samples:
    """Sampled at twice so many hertz, and back."""
    return resample(resample(voice, RATE, 2 * hertz), 2 * hertz, RATE)[: len(voice)]


def clipped(voice: Samples, share: float) -> Samples:
    """So much of it cut off at the top, then made quieter."""
    ceiling = np.quantile(np.abs(voice), 1.0 - share)
    return np.clip(voice, -ceiling, ceiling) * np.float32(0.3)
