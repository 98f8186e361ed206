"""What a whole recording is like: its format, its levels, and what is wrong with its sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.audio.background import Background
from engine.audio.bandwidth import RATE, band_powers, ceiling_hertz
from engine.audio.clipping import clipped_share
from engine.audio.decode import Format, Samples
from engine.audio.excerpt import Part, excerpt
from engine.audio.loudness import Meter, integrated, true_peak_db
from engine.audio.music import music_share
from engine.audio.noise import hiss_db, hum, pause_spectrum
from engine.audio.room import decay_seconds
from engine.audio.speech import Span

# In dB under the voice.
_INAUDIBLE = -80.0


@dataclass(frozen=True)
class RecordingQuality:
    """A recording in numbers; None is what cannot be told, as without speech or pauses.

    `seconds` is its length, `loudness` LUFS, `peak` dBTP, `clipping` a share of its samples, `snr`
    dB between voice and background (60 at most), `noise` the level of the background in dB of full
    scale, `bandwidth` Hz up to 10,508, `hum` 50, 60 or 0 Hz. `hum_db` and `hiss_db` are dB relative
    to the voice, so below zero. `decay` is seconds like RT60, `music` the share of the speech that
    has music near it, `silence` the share of the time without speech.
    """

    rate: int
    channels: int
    format: str
    seconds: float
    loudness: float
    peak: float
    clipping: float
    snr: float | None
    noise: float | None
    bandwidth: float
    hum: int
    hum_db: float | None
    hiss_db: float | None
    decay: float | None
    music: float | None
    silence: float


class _Attended(Sequence[Part]):
    """Parts of a recording; `check` is called for each that is looked at."""

    def __init__(self, parts: Sequence[Part], check: Callable[[], None]) -> None:
        self._parts = parts
        self._check = check

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, index: Any) -> Any:
        self._check()
        return self._parts[index]


def measure(
    samples: Samples,
    background: Background,
    spans: Sequence[Span],
    form: Format,
    check: Callable[[], None] = lambda: None,
) -> RecordingQuality:
    """Look at a recording: 22,050 Hz samples of shape (n,), and where the detector found speech.

    Of more than 10 minutes, 10 minutes are looked at, spread evenly over the speech; the levels of
    voice and background are those of all of it. `check` is called many times meanwhile, and may
    raise to end it.
    """
    parts = _Attended(excerpt(samples, RATE, background.speech), check)
    seconds = len(samples) / RATE
    voiced = [part for part in parts if part.speech] or parts
    bandwidth = ceiling_hertz([band_powers(part.samples) for part in voiced])
    voice = background.voice
    mains, hum_db, hiss = _steady(parts, bandwidth, voice)
    return RecordingQuality(
        rate=form.rate,
        channels=form.channels,
        format=form.name,
        seconds=round(seconds, 2),
        loudness=round(_loudness(parts), 2),
        peak=round(max((true_peak_db(p.samples, RATE) for p in parts), default=-120.0), 2),
        clipping=_rounded(_clipping(parts), 5) or 0.0,
        snr=background.snr,
        noise=_rounded(background.noise, 1),
        bandwidth=bandwidth,
        hum=mains,
        hum_db=hum_db,
        hiss_db=hiss,
        decay=_rounded(decay_seconds(parts), 2),
        music=None if voice is None else _rounded(music_share(parts, mains, voice), 3),
        silence=round(1.0 - sum(span.seconds for span in spans) / max(seconds, 0.001), 3),
    )


def _loudness(parts: Sequence[Part]) -> float:
    meter = Meter(RATE)
    return integrated([block for part in parts for block in meter.blocks(part.samples)])


def _clipping(parts: Sequence[Part]) -> float:
    shares = [clipped_share(part.samples) for part in parts if part.speech]
    return float(np.mean(shares)) if shares else 0.0


def _steady(
    parts: Sequence[Part], bandwidth: float, voice: float | None
) -> tuple[int, float | None, float | None]:
    """The mains frequency that hums, and the levels of hum and hiss relative to the voice."""
    spectrum = pause_spectrum(parts)
    if spectrum is None or voice is None:
        return 0, None, None
    mains, hum_level = hum(spectrum)
    hiss = _relative(hiss_db(spectrum, bandwidth), voice)
    hum_db = _relative(hum_level, voice)
    # A codec's rounding has lines too, far below what can be heard.
    return (mains, hum_db, hiss) if hum_db and hum_db > _INAUDIBLE else (0, None, hiss)


def _relative(level: float | None, voice: float) -> float | None:
    return None if level is None else round(level - voice, 1)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
