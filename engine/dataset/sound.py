"""How clips sound, in numbers, and which of them sound too bad to be learned."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.audio.background import MOST_SNR, Background
from engine.audio.bandwidth import band_powers, ceiling_hertz
from engine.audio.clipping import clipped_share
from engine.audio.decode import Samples
from engine.audio.loudness import SILENT, Meter, amplified
from engine.dataset.clips import RATE, Clip, Reason, State
from engine.dataset.derive import merged
from engine.dataset.judge import Verdict

# Shares of the samples. 0.5 % leave 20 to 30 dB between voice and distortion, 5 % only 6 to 20
# (measured with five synthetic voices, clipped at 0.7 to 0.2 of their peaks).
SOME_CLIPPING, MUCH_CLIPPING = 0.005, 0.05
# LU under the speech of the recording: the softest word of a lively speaker is not so quiet.
_FAR_BELOW = 35.0
# LUFS: 16 bits leave 30 dB over their rounding there.
_HARDLY_ANY = -65.0
# Only pieces that nobody uses are longer.
_MOST_SECONDS = 60.0


def measured(samples: Samples) -> dict[str, float]:
    """What 22,050 Hz samples of shape (n,) tell: bandwidth (Hz), clipping (0 to 1), level (LUFS)."""
    return {
        "bandwidth": ceiling_hertz([band_powers(samples)]),
        "clipping": round(clipped_share(samples), 4),
        "level": round(Meter(RATE).loudness(samples), 2),
    }


def scores_of_part(clip: Clip, whole: Samples, part: Samples) -> dict[str, float]:
    """The scores of a part of a clip whose audio is `whole`, in any loudness.

    Its level and SNR are those of the clip, as much higher as the part is louder. Its tokens and who
    speaks in it are not known.
    """
    left_out = ("tokens", "speaker")
    scores = {name: value for name, value in clip.scores.items() if name not in left_out}
    found = measured(part)
    louder = found.pop("level") - Meter(RATE).loudness(whole)
    if "level" in scores:
        found["level"] = round(scores["level"] + louder, 2)
    if "snr" in scores:
        found["snr"] = round(min(scores["snr"] + louder, MOST_SNR), 1)
    return merged(scores, found)


def as_recorded(clip: Clip, samples: Samples) -> Samples:
    """The samples of a clip's wav, as loud as they were recorded where that is known."""
    if "level" not in clip.scores:
        return samples
    return amplified(samples, clip.scores["level"] - Meter(RATE).loudness(samples))


class Sound:
    """The sound of one recording: its 22,050 Hz samples, its levels, its loudness in LUFS."""

    def __init__(self, samples: Samples, background: Background, loudness: float) -> None:
        self._samples = samples
        self._background = background
        self._loudness = loudness

    def scores(self, start: float, end: float) -> dict[str, float]:
        """The numbers of a stretch in seconds, as it was recorded; `snr` (dB) only where known."""
        last = min(end, start + _MOST_SECONDS)
        found = measured(np.asarray(self._samples[round(start * RATE) : round(last * RATE)]))
        snr = self._background.snr_of(start, end)
        return found if snr is None else found | {"snr": snr}

    def judge(self, verdict: Verdict, start: float, end: float) -> Verdict:
        """The verdict on a stretch of the recording with what its sound adds to it."""
        scores = self.scores(start, end)
        state, reason = verdict.state, verdict.reason
        if state != "dropped" and (wrong := self._wrong(scores)) is not None:
            # What made it suspect before is told first.
            state, reason = wrong if wrong[0] == "dropped" or reason is None else (state, reason)
        return replace(verdict, state=state, reason=reason, scores=merged(verdict.scores, scores))

    def _wrong(self, scores: dict[str, float]) -> tuple[State, Reason] | None:
        if scores["level"] < max(SILENT, _HARDLY_ANY, self._loudness - _FAR_BELOW):
            return "dropped", Reason.SILENCE
        if scores["clipping"] >= MUCH_CLIPPING:
            return "dropped", Reason.CLIPPING
        if scores["clipping"] >= SOME_CLIPPING:
            return "suspect", Reason.CLIPPING
        return None
