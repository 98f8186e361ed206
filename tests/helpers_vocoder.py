"""Voices as vocoders make them, of any rate, and the faults that their training leaves in them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine.audio.decode import Samples
from engine.audio.speech import Span

# The first four resonances of a, e, i, o, u in Hz, as textbooks give them for a man.
_VOWELS = (
    (730, 1090, 2440, 3400),
    (530, 1840, 2480, 3500),
    (270, 2290, 3010, 3700),
    (570, 840, 2410, 3300),
    (300, 870, 2240, 3300),
)
_WORD, _PAUSE = 0.55, 0.3


@dataclass(frozen=True)
class Made:
    """Samples, their rate, and where the voice speaks."""

    samples: Samples
    rate: int
    spans: tuple[Span, ...]

    def like(self, samples: NDArray[np.floating]) -> Made:
        """Other samples of the same words."""
        return replace(self, samples=samples.astype(np.float32))

    def mixed(self, other: Made) -> Made:
        return self.like((self.samples + other.samples) / 2)

    def times(self, share: float) -> Made:
        return self.like(self.samples * share)

    def rounded(self) -> Made:
        """As a file of 16 bits holds it."""
        return self.like(np.round(self.samples * 32_767) / 32_768)


def made_voice(
    seconds: float,
    rate: int,
    pitch: float = 120.0,
    *,
    seed: int = 0,
    glide: float = 0.15,
    jitter: float = 0.003,
    breath: float = -45.0,
    sibilants: bool = True,
    pauses: bool = True,
    level: float = -6.0,
) -> Made:
    """Words of vowels and s-sounds with pauses between; harmonics up to nearly half the rate.

    `glide` is how far the pitch moves within a word, as a share; `breath` dB is noise of the voice,
    and 30 dB under it there is room noise. `level` is the highest peak in dB.
    """
    random = np.random.default_rng(seed)
    count = round(seconds * rate)
    time = np.arange(count) / rate
    length = _WORD + (_PAUSE if pauses else 0.0)
    word, since = np.divmod(time, length)
    turns = random.uniform(-1, 1, (2, int(word[-1]) + 1))
    bend = turns[0][word.astype(int)] * (since / _WORD - 0.5) + 0.3 * turns[1][word.astype(int)]
    marks = np.arange(0.0, seconds + 0.1, 0.02)
    drift = np.interp(time, marks, random.standard_normal(len(marks)))
    hertz = pitch * (1 + glide * bend + jitter * drift)
    harmonics = int(0.47 * rate / hertz.max())
    angle = np.pi * np.cumsum(hertz) / rate
    pulses = _pulses(angle, harmonics)
    pulses = pulses + 10 ** (breath / 20) * 2 * harmonics * random.standard_normal(count)
    ends = np.clip(np.minimum(since, _WORD - since) / 0.03, 0, 1) if pauses else np.ones(count)
    voice = np.zeros(count)
    for index in range(len(_VOWELS)):
        mine = (word.astype(int) + seed) % len(_VOWELS) == index
        if mine.any():
            voice += _shaped(pulses * mine * ends, rate, _VOWELS[index])
    voice /= np.abs(voice).max()
    if sibilants and pauses:
        hiss = _band(random.standard_normal(count), rate, 4_500, 0.45 * rate)
        voice += 0.15 * hiss / np.abs(hiss).max() * ((since > _WORD - 0.12) & (since < _WORD))
    voice += 10 ** ((breath - 30) / 20) * random.standard_normal(count) / 3
    voice *= 10 ** (level / 20) / np.abs(voice).max()
    spans = [Span(at, min(at + _WORD, seconds)) for at in np.arange(0.0, seconds, length)]
    return Made(voice.astype(np.float32), rate, tuple(spans))


def _pulses(angle: NDArray[np.float64], harmonics: int) -> NDArray[np.float64]:
    """So many harmonics of equal height, of a wave whose phase is twice the angle."""
    below = np.sin(angle)
    whole = np.abs(below) < 1e-6
    ratio = np.sin((2 * harmonics + 1) * angle) / np.where(whole, 1.0, below)
    return np.where(whole, 2 * harmonics + 1.0, ratio) - 1


def _shaped(source: NDArray[np.float64], rate: int, formants: tuple[int, ...]) -> Samples:
    hertz = np.fft.rfftfreq(len(source), 1 / rate)
    gain = np.full(len(hertz), 0.004)
    for number, centre in enumerate(formants):
        gain += 0.5**number / (1 + ((hertz - centre) / (50 + 0.04 * centre)) ** 2)
    gain /= 1 + (hertz / 500) ** 1.0
    return np.fft.irfft(np.fft.rfft(source) * gain, len(source)).astype(np.float32)


def _band(samples: NDArray[np.float64], rate: int, low: float, high: float) -> NDArray[np.float64]:
    hertz = np.fft.rfftfreq(len(samples), 1 / rate)
    inside = (hertz >= low) & (hertz <= high)
    return np.fft.irfft(np.fft.rfft(samples) * inside, len(samples))


def sung(seconds: float, rate: int, notes: tuple[float, ...], vibrato: float = 0.0) -> Made:
    """Notes held all the time, each with 30 harmonics."""
    time = np.arange(round(seconds * rate)) / rate
    sound = np.zeros(len(time))
    for note in notes:
        phase = 2 * np.pi * np.cumsum(note * (1 + vibrato * np.sin(2 * np.pi * 5.5 * time))) / rate
        sound += sum(np.sin(number * phase) / number for number in range(1, 31))
    samples = (0.3 * sound / np.abs(sound).max()).astype(np.float32)
    return Made(samples, rate, (Span(0.0, seconds),))


def whistling(voice: Made, hertz: float, level: float = -15.0) -> Made:
    """With a whistle of one tone for more than half of the time, in dB relative to the voice."""
    time = np.arange(len(voice.samples)) / voice.rate
    height = 10 ** ((power_db(voice.samples) + level) / 20) * np.sqrt(2)
    tone = height * np.sin(2 * np.pi * hertz * time) * (time % 2 < 1.3)
    return voice.like(voice.samples + tone)


def power_db(samples: Samples) -> float:
    """The mean power in dB of the samples that are not silence."""
    square = np.square(samples, dtype=np.float64)
    return float(10 * np.log10(square[square > square.max() * 1e-4].mean()))


def with_line(voice: Samples, rate: int, level: float, hertz: float = 8_000.0) -> Samples:
    """With a tone all the time, in dB relative to the voice."""
    time = np.arange(len(voice)) / rate
    height = 10 ** ((power_db(voice) + level) / 20) * np.sqrt(2)
    return (voice + height * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def with_images(voice: Samples, rate: int, fold: float, level: float) -> Samples:
    """With what lies under `fold` Hz mirrored to above it, so many dB softer: an upsampling stage
    whose filter lets its images through."""
    below = _band(voice.astype(np.float64), rate, 60.0, fold)
    time = np.arange(len(voice)) / rate
    image = _band(2 * below * np.cos(2 * np.pi * 2 * fold * time), rate, fold, 0.49 * rate)
    return (voice + 10 ** (level / 20) * image).astype(np.float32)


def with_noise(voice: Samples, level: float, seed: int = 1) -> Samples:
    """With white noise all the time, in dB relative to the voice."""
    noise = np.random.default_rng(seed).standard_normal(len(voice))
    return (voice + 10 ** ((power_db(voice) + level) / 20) * noise).astype(np.float32)
