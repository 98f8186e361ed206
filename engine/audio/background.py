"""How far a voice stands out from what is heard between its words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.audio.decode import Samples
from engine.audio.level import FRAME_SECONDS
from engine.audio.speech import Span, quiet_level, without_silence

# Speech fades in and out beside what the detector calls speech.
GUARD_SECONDS = 0.1
# More than this is not told apart: it is silence for any ear, and for 16 bits nearly so.
MOST_SNR = 60.0
_NEAR_SECONDS = 5.0
_LEAST_FRAMES = 30


def pauses(spans: Sequence[Span], seconds: float) -> list[Span]:
    """What lies between the speech of a recording and at its ends, 0.1 s away from either."""
    edges = [0.0, *(edge for span in spans for edge in span), seconds]
    gaps = zip(edges[::2], edges[1::2], strict=True)
    found = [Span(start + GUARD_SECONDS, end - GUARD_SECONDS) for start, end in gaps]
    return [pause for pause in found if pause.end > pause.start]


class Background:
    """The levels of a recording, divided into speech and pauses.

    `levels` are those of each 10 ms (`engine.audio.level.frame_levels`), `spans` what the detector
    found; `speech` is that without the pauses in it. All results are dB; None where there is no
    speech, or not enough of a pause to tell.
    """

    def __init__(self, levels: Samples, spans: Sequence[Span]) -> None:
        self._levels = levels
        # The detector bridges short pauses.
        self.speech = tuple(without_silence(spans, levels, quiet_level(levels, spans)))
        self._spoken = _marked(self.speech, len(levels))
        self._quiet = _marked(pauses(self.speech, len(levels) * FRAME_SECONDS), len(levels))
        self.noise = self._noise(slice(0, len(levels)))
        self.voice = self._voice(slice(0, len(levels)))

    @property
    def snr(self) -> float | None:
        """Speech level over the noise of the whole recording, 60 dB at most."""
        return _ratio(self.voice, self.noise)

    def snr_of(self, start: float, end: float) -> float | None:
        """The same for a stretch in seconds, with the noise of the pauses within 5 s of it.

        The noise of the whole recording counts where these are shorter than 0.3 s together.
        """
        near = self._noise(_frames(start - _NEAR_SECONDS, end + _NEAR_SECONDS))
        voice = self._voice(_frames(start, end))
        return _ratio(voice, self.noise if near is None else near)

    def _noise(self, part: slice) -> float | None:
        """The lower quartile of the levels in the pauses.

        In steady noise it is the level of the noise to half a decibel; breaths, clicks and a word
        that the detector missed do not move it.
        """
        levels = self._levels[part][self._quiet[part]]
        return float(np.percentile(levels, 25)) if len(levels) >= _LEAST_FRAMES else None

    def _voice(self, part: slice) -> float | None:
        levels = self._levels[part][self._spoken[part]]
        if not len(levels):
            return None
        return float(10 * np.log10(np.mean(10.0 ** (levels.astype(np.float64) / 10))))


def _ratio(voice: float | None, noise: float | None) -> float | None:
    """How far speech lies over noise, when the first was measured together with the second."""
    if voice is None or noise is None:
        return None
    alone = max(10.0 ** (voice / 10) - 10.0 ** (noise / 10), 10.0 ** (noise / 10) / 100)
    return round(min(10 * float(np.log10(alone)) - noise, MOST_SNR), 1)


def _marked(spans: Sequence[Span], frames: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    marks = np.zeros(frames, np.bool_)
    for span in spans:
        marks[_frames(span.start, span.end)] = True
    return marks


def _frames(start: float, end: float) -> slice:
    return slice(max(0, round(start / FRAME_SECONDS)), max(0, round(end / FRAME_SECONDS)))
