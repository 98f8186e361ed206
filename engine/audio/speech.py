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
# The detector's frame, what it sees of the one before, and how many it gets at once.
_FRAME, _CONTEXT, _BLOCK_FRAMES = 512, 64, 512
# Digital silence between words must not make their quiet ends silence too.
_MOST_CONTRAST = 60.0
_QUIET_SHARE = 0.4
_SILENT_FRAMES = 15
# At the ends of speech the detector hears weak consonants that a level does not show.
_SILENT_END_FRAMES = 30


class Span(NamedTuple):
    """A stretch of time, in seconds of the recording."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def find_speech(samples: Samples, progress: Callable[[float, float], None]) -> list[Span]:
    """The spoken parts of 16 kHz samples of shape (n,), in time order, without any padding.

    They are taken block by block. `progress` gets the seconds done and in all.
    """
    import torch

    threads = torch.get_num_threads()
    from silero_vad import get_speech_timestamps_from_probs, load_silero_vad

    # Importing Silero's model module sets torch to one thread.
    torch.set_num_threads(threads)
    session = load_silero_vad(sequence=True).session
    found = get_speech_timestamps_from_probs(
        np.concatenate([np.zeros(0, np.float32), *_probabilities(samples, session, progress)]),
        sampling_rate=RATE,
        threshold=_THRESHOLD,
        min_speech_duration_ms=_MIN_SPEECH_MS,
        min_silence_duration_ms=_MIN_PAUSE_MS,
        speech_pad_ms=0,
        audio_length_samples=len(samples),
    )
    return [Span(round(s["start"] / RATE, 3), round(s["end"] / RATE, 3)) for s in found]


def _probabilities(
    samples: Samples, session: Any, progress: Callable[[float, float], None]
) -> Iterator[Samples]:
    """How likely somebody speaks in each frame, block by block.

    As Silero's own `SileroVADSequence` does it, which asks for the whole recording at once.
    """
    state = [np.zeros((1, 1, 128), np.float32)] * 2
    context = np.zeros(_CONTEXT, np.float32)
    for start in range(0, len(samples), _BLOCK_FRAMES * _FRAME):
        block = samples[start : start + _BLOCK_FRAMES * _FRAME]
        frames = np.pad(block, (0, -len(block) % _FRAME)).reshape(-1, _FRAME)
        before = np.concatenate((context[None], frames[:-1, -_CONTEXT:]))
        context = frames[-1, -_CONTEXT:]
        probabilities, *state = session.run(
            ["speech_probs", "hn", "cn"],
            {"input": np.concatenate((before, frames), axis=1), "h": state[0], "c": state[1]},
        )
        yield probabilities.reshape(-1)
        progress((start + len(block)) / RATE, len(samples) / RATE)


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
    """The spans without what is under `quiet` dB for 0.15 s or more in them, 0.3 s at their ends.

    The detector bridges some pauses, and in noise most of them; stop consonants are shorter.
    """
    return [part for span in spans for part in _loud_parts(span, levels, quiet)]


def _loud_parts(span: Span, levels: Samples, quiet: float) -> Iterator[Span]:
    first = round(span.start / FRAME_SECONDS)
    last = round(span.end / FRAME_SECONDS)
    below = levels[first:last] < quiet
    borders = np.flatnonzero(np.diff(below.astype(np.int8), prepend=0, append=0)) + first
    start = span.start
    for begin, end in borders.reshape(-1, 2):
        outer = begin == first or end == last
        if end - begin >= (_SILENT_END_FRAMES if outer else _SILENT_FRAMES):
            until = round(float(begin) * FRAME_SECONDS, 3)
            if until > start:
                yield Span(start, until)
            start = round(float(end) * FRAME_SECONDS, 3)
    if start < span.end:
        yield Span(start, span.end)
