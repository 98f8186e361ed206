"""Where somebody speaks: Silero's voice activity detection."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.audio.decode import Samples
from engine.audio.level import FRAME_SECONDS, SILENCE_DB

RATE = 16_000
_THRESHOLD = 0.5
# Short on both sides: a brief "Yes." counts as speech, a breath between sentences as a pause.
_MIN_SPEECH_MS = 100
_MIN_PAUSE_MS = 100
# Digital silence between words must not make their quiet ends silence too.
_MOST_CONTRAST = 60.0
_QUIET_SHARE = 0.4
_SILENT_FRAMES = 15


class Span(NamedTuple):
    """A stretch of time, in seconds of the recording."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


class _Watched:
    """The detector's ONNX session; tells how many frames are done after each block of 16 s."""

    def __init__(self, session: Any, progress: Callable[[int], None]) -> None:
        self._session = session
        self._progress = progress
        self._frames = 0

    def run(self, outputs: list[str], inputs: dict[str, Any]) -> Any:
        result = self._session.run(outputs, inputs)
        self._frames += len(inputs["input"])
        self._progress(self._frames)
        return result


def find_speech(samples: Samples, progress: Callable[[float, float], None]) -> list[Span]:
    """The spoken parts of 16 kHz samples of shape (n,), in time order, without any padding.

    `progress` gets the seconds done and in all.
    """
    import torch

    threads = torch.get_num_threads()
    from silero_vad import get_speech_timestamps_sequence, load_silero_vad

    # Importing Silero's model module sets torch to one thread.
    torch.set_num_threads(threads)
    model = load_silero_vad(sequence=True)
    seconds = len(samples) / RATE
    frame = 512 / RATE
    model.session = _Watched(model.session, lambda n: progress(min(n * frame, seconds), seconds))
    found = get_speech_timestamps_sequence(
        samples,
        model,
        threshold=_THRESHOLD,
        sampling_rate=RATE,
        min_speech_duration_ms=_MIN_SPEECH_MS,
        min_silence_duration_ms=_MIN_PAUSE_MS,
        speech_pad_ms=0,
    )
    return [Span(round(s["start"] / RATE, 3), round(s["end"] / RATE, 3)) for s in found]


def quiet_level(levels: Samples, spans: Sequence[Span]) -> float:
    """The level in dB under which a recording is between words.

    It lies two fifths of the way from the background to the speech. `levels` are those of each 10 ms.
    """
    if not spans:
        return SILENCE_DB
    spoken = [
        levels[round(span.start / FRAME_SECONDS) : round(span.end / FRAME_SECONDS)]
        for span in spans
    ]
    speech = float(np.percentile(np.concatenate(spoken), 80))
    background = max(float(np.percentile(levels, 2)), speech - _MOST_CONTRAST)
    return background + _QUIET_SHARE * (speech - background)


def without_silence(spans: Sequence[Span], levels: Samples, quiet: float) -> list[Span]:
    """The spans without what is under `quiet` dB for 0.15 s or more in them.

    The detector bridges some pauses, and in noise most of them; stop consonants are shorter.
    """
    return [part for span in spans for part in _loud_parts(span, levels, quiet)]


def _loud_parts(span: Span, levels: Samples, quiet: float) -> Iterator[Span]:
    first = round(span.start / FRAME_SECONDS)
    below = levels[first : round(span.end / FRAME_SECONDS)] < quiet
    borders = np.flatnonzero(np.diff(below.astype(np.int8), prepend=0, append=0)) + first
    start = span.start
    for begin, end in borders.reshape(-1, 2):
        if end - begin >= _SILENT_FRAMES:
            until = round(float(begin) * FRAME_SECONDS, 3)
            if until > start:
                yield Span(start, until)
            start = round(float(end) * FRAME_SECONDS, 3)
    if start < span.end:
        yield Span(start, span.end)
