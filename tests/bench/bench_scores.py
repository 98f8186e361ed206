"""How good clips are, where the words and their times are known."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

import jiwer
import numpy as np
from bench_recordings import Known
from bench_speech import Said

from engine.audio.decode import Samples, read
from engine.dataset.clips import MOST_SAMPLES, RATE

MOST_SECONDS = MOST_SAMPLES / RATE
LEAST_SECONDS = 1.0
# An edge cuts when it lies deeper in a word than this.
_DEPTH = 0.02
_FRAME = 0.02
# Sound at an edge is loud over a quarter of the level that the loudest fifth of frames has.
_LOUD = 0.25
_LOUD_PERCENTILE = 80


class Kept(NamedTuple):
    """A clip that is kept: its place in a recording, in seconds, and its text."""

    recording: str
    start: float
    end: float
    text: str


@dataclass(frozen=True)
class Scores:
    """Shares are of 1; `word_errors` of all text in order, `clip_errors` clip by clip."""

    clips: int
    seconds: float
    word_errors: float
    clip_errors: float
    cut_edges: float
    loud_edges: float
    too_long: int
    too_short: int
    speech_kept: float


def scores(recordings: Sequence[Known], clips: Sequence[Kept]) -> Scores:
    """The figures of all clips, each recording's in time order."""
    kept = {name: list(group) for name, group in groupby(sorted(clips), lambda c: c.recording)}
    pairs, clip_pairs, inside, loud = [], [], [], []
    spoken = covered = 0.0
    for known in recordings:
        own = kept.get(known.path.name, [])
        pairs.append((_text(known.words), " ".join(clip.text for clip in own)))
        clip_pairs += [(_text(_at(known.words, clip)), clip.text) for clip in own]
        edges = [edge for clip in own for edge in (clip.start, clip.end)]
        inside += [_cuts(known.words, edge) for edge in edges]
        samples, rate = read(known.path)
        loud += [_is_loud(samples, rate, clip) for clip in own]
        spoken += sum(word.end - word.start for word in known.words)
        covered += sum(_overlap(word, own) for word in known.words)
    return Scores(
        clips=len(clips),
        seconds=sum(clip.end - clip.start for clip in clips),
        word_errors=_errors(pairs),
        clip_errors=_errors(clip_pairs),
        cut_edges=sum(inside) / max(1, len(inside)),
        loud_edges=sum(map(sum, loud)) / max(1, 2 * len(loud)),
        too_long=sum(clip.end - clip.start > MOST_SECONDS for clip in clips),
        too_short=sum(clip.end - clip.start < LEAST_SECONDS - 1e-3 for clip in clips),
        speech_kept=covered / spoken,
    )


def _text(words: Sequence[Said]) -> str:
    return " ".join(word.text for word in words)


def _at(words: Sequence[Said], clip: Kept) -> list[Said]:
    """The words that are said in a clip: those whose middle lies in it."""
    middles = [(word.start + word.end) / 2 for word in words]
    return list(words[bisect(middles, clip.start) : bisect(middles, clip.end)])


def _cuts(words: Sequence[Said], edge: float) -> bool:
    return any(word.start + _DEPTH < edge < word.end - _DEPTH for word in words)


def _is_loud(samples: Samples, rate: int, clip: Kept) -> tuple[bool, bool]:
    """Whether the sound is loud at the two edges of a clip, in its outer 40 ms."""
    size = round(_FRAME * rate)
    part = samples[round(clip.start * rate) : round(clip.end * rate)]
    frames = part[: len(part) // size * size].reshape(-1, size)
    levels = np.sqrt(np.mean(frames**2, axis=1, dtype=np.float64))
    bound = _LOUD * float(np.percentile(levels, _LOUD_PERCENTILE))
    return bool(levels[:2].max() > bound), bool(levels[-2:].max() > bound)


def _overlap(word: Said, clips: Sequence[Kept]) -> float:
    return sum(max(0.0, min(word.end, c.end) - max(word.start, c.start)) for c in clips)


def _errors(pairs: Sequence[tuple[str, str]]) -> float:
    """Words that were changed, left out or added, as a share of those that were said."""
    wrong = said = 0
    for reference, heard in pairs:
        known, found = plain(reference), plain(heard)
        said += len(known.split())
        if known:
            result = jiwer.process_words(known, found)
            wrong += result.substitutions + result.deletions + result.insertions
        else:
            wrong += len(found.split())
    return wrong / said


def plain(text: str) -> str:
    """A text as it is compared: spelled out as coqui does it, then as Whisper's authors compare."""
    from TTS.tts.layers.xtts.tokenizer import multilingual_cleaners

    return str(_normaliser()(multilingual_cleaners(text, "en")))


@cache
def _normaliser() -> Any:
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer

    return EnglishTextNormalizer({})
