"""How much a clip deserves a look, in one number from what is known of it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from engine.dataset.review.rows import Row

# For each number the value that is as bad as it gets and the one from which all is well. Those of
# the recogniser: Whisper's own thresholds (openai/whisper, transcribe.py) as the bad end.
# `snr` in dB, `clipping` a share of the samples, `speaker` a cosine distance.
RANGES: dict[str, tuple[float, float]] = {
    "confidence": (0.4, 0.9),
    "logprob": (-1.0, -0.2),
    "no_speech": (0.6, 0.1),
    "compression": (2.4, 1.8),
    "snr": (10.0, 25.0),
    "clipping": (0.01, 0.0),
    "speaker": (0.45, 0.2),
}
_AGREEMENT = (0.5, 1.0)
# Seconds: short clips teach little and are often wrong, long ones are near the limit of training.
_SHORT, _LONG = (0.8, 2.0), (11.6, 11.0)
# Shares of the largest number of tokens.
_TOKENS = (1.0, 0.8)
# Octaves off the usual speaking rate: half or twice as fast is as bad as it gets. Of level: dB.
_RATE = (1.0, 0.3)
_LEVEL = (12.0, 4.0)


class Scorer:
    """Scores the clips of one dataset, 0 (look at it first) to 1 (nothing stands out).

    Each number that is known of a clip is put on a scale from 0 to 1: confidence, agreement of the
    two transcripts, log probability, no-speech probability, compression, signal to noise, clipping,
    distance to the speaker, length, tokens as a share of the most, and how far speaking rate and
    level are from the usual ones (the medians of the clips in use). The score is the mean of the
    worst of these and of their average: one bad number is enough to be seen, several weigh more.
    What is not known does not count.
    """

    def __init__(self, rows: Sequence[Row], most_tokens: int) -> None:
        used = [row for row in rows if row.state != "dropped"] or rows
        rates = [row.rate for row in used if row.text]
        levels = [row.values[row.names.index("level")] for row in used if "level" in row.names]
        self._rate = statistics.median(rates) if rates else 0.0
        self._level = statistics.median(levels) if levels else 0.0
        self._most_tokens = most_tokens

    def score(self, row: Row) -> float:
        seconds = row.end - row.start
        parts = [min(_scale(seconds, *_SHORT), _scale(seconds, *_LONG))]
        if row.agreement is not None:
            parts.append(_scale(row.agreement, *_AGREEMENT))
        if row.text and self._rate:
            parts.append(_scale(abs(math.log2(row.rate / self._rate)), *_RATE))
        for name, value in zip(row.names, row.values, strict=True):
            if name in RANGES:
                parts.append(_scale(value, *RANGES[name]))
            elif name == "tokens":
                parts.append(_scale(value / self._most_tokens, *_TOKENS))
            elif name == "level":
                parts.append(_scale(abs(value - self._level), *_LEVEL))
        return (min(parts) + sum(parts) / len(parts)) / 2


def _scale(value: float, bad: float, good: float) -> float:
    """0 at `bad` and beyond, 1 at `good` and beyond, a straight line between."""
    return min(1.0, max(0.0, (value - bad) / (good - bad)))
