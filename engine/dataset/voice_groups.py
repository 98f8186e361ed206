"""Which clips are spoken by the voice that speaks most, told from their embeddings.

Distances are cosine distances, 0 for the same direction. What a recorder and a room do to a voice
is as large as the difference between two alike voices, but it stays the same within a recording:
so a clip is compared with the voice of the whole project and with that voice as its own recording
holds it, and the nearer one counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Mask = NDArray[np.bool_]

_MOST_SEEDS = 256
_MOST_ROUNDS = 20
# A voice that a recording holds for less than this is not known well enough to compare with.
_LEAST_OWN_SECONDS = 10.0


@dataclass(frozen=True)
class Scale:
    """How an encoder's distances are read.

    Clips nearer than `alike` to a voice are spoken by it, clips farther than `apart` are not. A
    short clip says less about who speaks: `blur` divided by its seconds is allowed on top.
    """

    alike: float
    apart: float
    blur: float


@dataclass(frozen=True)
class Heard:
    """The clips of one recording: unit vectors of shape (n, size), and seconds of shape (n,)."""

    vectors: Vectors
    seconds: Vectors


@dataclass(frozen=True)
class Judged:
    """The distance of each clip, whether another voice speaks in it, and how long two voices speak.

    `distances` and `others` have an array for each recording. `seconds` are those of the clips of
    the project's voice, `other_seconds` those of all other clips, and `second_seconds` those of the
    voice that speaks most in these.
    """

    distances: list[Vectors]
    others: list[Mask]
    seconds: float
    other_seconds: float
    second_seconds: float


def judge(heard: Sequence[Heard], scale: Scale) -> Judged:
    """Find the voice that speaks most and measure every clip against it."""
    seconds = np.concatenate([one.seconds for one in heard] or [np.zeros(0, np.float32)])
    if not len(seconds):
        nothing = [one.seconds for one in heard]
        return Judged(nothing, [none > 0 for none in nothing], 0.0, 0.0, 0.0)
    vectors = np.concatenate([one.vectors for one in heard if len(one.seconds)])
    voice = _main_voice(vectors, seconds, scale)
    distances = [_nearest(one, voice, scale) if len(one.seconds) else one.seconds for one in heard]
    excess = _excess(np.concatenate(distances), seconds, scale)
    other = excess > _limit(excess, scale)
    second = 0.0
    if other.any():
        rest, rest_seconds = vectors[other], seconds[other]
        near = _near(rest, rest_seconds, _main_voice(rest, rest_seconds, scale), scale.apart, scale)
        second = float(rest_seconds[near].sum())
    borders = np.cumsum([len(one.seconds) for one in heard])[:-1]
    others = np.split(other, borders)
    told = float(seconds[~other].sum()), float(seconds[other].sum())
    return Judged(distances, others, *told, second)


def distance(vectors: Vectors, voice: Vectors) -> Vectors:
    """Cosine distances of unit vectors (n, size) to one (size,)."""
    return np.asarray(1.0 - vectors @ voice, np.float32)


def _excess(distances: Vectors, seconds: Vectors, scale: Scale) -> Vectors:
    """How far clips are beyond what their shortness allows."""
    return np.asarray(distances - scale.blur / seconds, np.float32)


def _near(vectors: Vectors, seconds: Vectors, voice: Vectors, radius: float, scale: Scale) -> Mask:
    return np.asarray(_excess(distance(vectors, voice), seconds, scale) <= radius)


def _main_voice(vectors: Vectors, seconds: Vectors, scale: Scale) -> Vectors:
    """The centre of the largest group by time, wherever it starts from a clip."""
    seeds = np.unique(np.linspace(0, len(vectors) - 1, _MOST_SEEDS).astype(int))
    near = 1.0 - vectors[seeds] @ vectors.T <= scale.alike + scale.blur / seconds
    seed = seeds[int(np.argmax(near @ seconds))]
    return _settled(vectors, seconds, vectors[seed], scale)


def _settled(vectors: Vectors, seconds: Vectors, voice: Vectors, scale: Scale) -> Vectors:
    """The centre of the clips near it, found step by step from a first guess (mean shift)."""
    held: Mask | None = None
    for _ in range(_MOST_ROUNDS):
        near = _near(vectors, seconds, voice, scale.alike, scale)
        if not near.any() or (held is not None and np.array_equal(near, held)):
            break
        voice, held = _centre(vectors[near], seconds[near]), near
    return voice


def _centre(vectors: Vectors, seconds: Vectors) -> Vectors:
    mean = seconds @ vectors
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _nearest(one: Heard, voice: Vectors, scale: Scale) -> Vectors:
    """The distances of a recording's clips to the voice, or to it as this recording holds it."""
    far = distance(one.vectors, voice)
    excess = _excess(far, one.seconds, scale)
    if one.seconds[excess <= scale.apart].sum() < _LEAST_OWN_SECONDS:
        return far
    # Two voices may be that near: start from the nearest half of the time.
    order = np.argsort(excess)
    order = order[excess[order] <= scale.apart]
    half = order[: 1 + np.searchsorted(np.cumsum(one.seconds[order]), one.seconds[order].sum() / 2)]
    start = _centre(one.vectors[half], one.seconds[half])
    own = _settled(one.vectors, one.seconds, start, scale)
    if 1.0 - own @ voice > scale.apart:
        return far
    return np.minimum(far, distance(one.vectors, own))


def _limit(excess: Vectors, scale: Scale) -> float:
    """The middle of the widest gap in what lies between alike and apart."""
    between = excess[(excess > scale.alike) & (excess < scale.apart)]
    edges = np.sort(np.concatenate([between, [scale.alike, scale.apart]]))
    widest = int(np.argmax(np.diff(edges)))
    return float(edges[widest] + edges[widest + 1]) / 2
