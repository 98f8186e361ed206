"""Whether music plays under a voice, from what is heard where the voice pauses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from engine.audio.decode import Samples
from engine.audio.excerpt import Part

_FRAME = 4096
_HOP = 2048
_LOW, _HIGH = 150.0, 4_000.0
# A tone stands out by 12 dB from the 200 Hz around it; noise does so once in a thousand bins.
_STANDS_OUT = 12.0
_AROUND = 19
_LEAST_TONES = 4
# Notes fade by a few dB a second, a room by 60 dB in its decay time: 30 dB a second for 2 s.
_FASTEST_FADE = 25.0
# In dB under the voice, where a person does not hear it any more.
_INAUDIBLE = -60.0


def music_share(parts: Sequence[Part], hum: int, voice: float) -> float | None:
    """The share of the speech, 0 to 1, that has music near it; None when no pause can tell.

    A pause of 0.3 s or more has music when at least four tones from 150 to 4,000 Hz stand out in it
    and do not fade as an echo does. Each stretch of speech takes the verdict of the pause next to
    it. Harmonics of `hum` (Hz, 0: none) do not count, nor does what is 60 dB under the `voice`
    (its level in dB). Other sounds with steady tones (sirens, a choir of voices) pass for music;
    drums alone do not.
    """
    places: list[float] = []
    verdicts: list[bool] = []
    for part in parts:
        for pause in part.pauses:
            samples = part.between(pause)
            if len(samples) >= _FRAME + _HOP:
                places.append(part.start + (pause.start + pause.end) / 2)
                verdicts.append(_is_musical(samples, part.rate, hum, voice))
    speech = list(_speech(parts))
    if not places or not speech:
        return None
    middles = np.array([middle for middle, _ in speech])
    seconds = np.array([length for _, length in speech])
    nearest = np.abs(middles[:, None] - np.array(places)[None, :]).argmin(axis=1)
    return float((np.array(verdicts)[nearest] * seconds).sum() / seconds.sum())


def _speech(parts: Sequence[Part]) -> Iterator[tuple[float, float]]:
    """The middle and the length of each stretch of speech, in seconds."""
    for part in parts:
        for span in part.speech:
            yield part.start + (span.start + span.end) / 2, span.seconds


def _is_musical(samples: Samples, rate: int, hum: int, voice: float) -> bool:
    window = np.hanning(_FRAME).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP]
    first, last = (round(hertz * _FRAME / rate) for hertz in (_LOW, _HIGH))
    spectrum = np.abs(np.fft.rfft(frames * window, axis=1)) ** 2 * (2.0 / float(window.sum()) ** 2)
    levels = 10 * np.log10(spectrum.mean(axis=0) + 1e-20)
    tones = np.array(
        [tone for tone in _tones(levels, first, last) if not _is_hum(tone * rate / _FRAME, hum)],
        int,
    )
    if len(tones) < _LEAST_TONES:
        return False
    if 10 * np.log10(spectrum[:, tones].mean(axis=0).sum() + 1e-20) < voice + _INAUDIBLE:
        return False
    half = len(frames) // 2
    early, late = (part[:, tones].mean(axis=0) for part in (spectrum[:half], spectrum[-half:]))
    seconds = (len(frames) - half) * _HOP / rate
    fades = 10 * np.log10((early + 1e-20) / (late + 1e-20)) / seconds
    return bool(np.median(fades) < _FASTEST_FADE)


def _tones(levels: NDArray[np.float64], first: int, last: int) -> Iterator[int]:
    """The bins of lines that stand out."""
    around = np.lib.stride_tricks.sliding_window_view(levels, 2 * _AROUND + 1)
    floors = np.median(around[first - _AROUND : last - _AROUND], axis=1)
    inside = levels[first:last]
    tops = (inside > levels[first - 1 : last - 1]) & (inside >= levels[first + 1 : last + 1])
    yield from (np.flatnonzero(tops & (inside > floors + _STANDS_OUT)) + first).tolist()


def _is_hum(hertz: float, hum: int) -> bool:
    return hum > 0 and abs(hertz - hum * round(hertz / hum)) < 6.0
