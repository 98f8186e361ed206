from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dataset.voice_groups import Heard, Scale, distance, judge

SCALE = Scale(alike=0.12, apart=0.25, blur=0.2)
SIZE = 64


def direction(*seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).standard_normal(SIZE)
    return vector / np.linalg.norm(vector)


def at(voice: np.ndarray, far: float, *seed: int) -> np.ndarray:
    """Another voice at a cosine distance."""
    other = direction(7, *seed)
    other -= (other @ voice) * voice
    other /= np.linalg.norm(other)
    return (1 - far) * voice + np.sqrt(1 - (1 - far) ** 2) * other


def spoken(voice: np.ndarray, count: int, seed: int) -> Heard:
    """Clips of a voice; the shorter one is, the farther it strays."""
    dice = np.random.default_rng(seed)
    seconds = dice.uniform(1.0, 9.0, count)
    clips = [
        at(voice, min(0.3, dice.uniform(0.02, 0.15) / one), seed, number)
        for number, one in enumerate(seconds)
    ]
    return Heard(np.array(clips, np.float32).reshape(-1, SIZE), np.array(seconds, np.float32))


def together(*parts: Heard) -> Heard:
    return Heard(
        np.concatenate([part.vectors for part in parts]),
        np.concatenate([part.seconds for part in parts]),
    )


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    host=st.integers(12, 60),
    guest=st.integers(0, 8),
    far=st.floats(0.4, 1.0),
)
def test_a_guest_is_found_and_the_host_is_not_doubted(
    seed: int, host: int, guest: int, far: float
) -> None:
    voice = direction(seed)
    talk = together(spoken(voice, host, seed), spoken(at(voice, far, seed), guest, seed + 2))
    alone = spoken(voice, host, seed + 3)
    judged = judge([talk, alone], SCALE)
    assert not judged.others[1].any()
    assert list(judged.others[0]) == [False] * host + [True] * guest
    assert judged.seconds + judged.other_seconds == pytest.approx(
        float(talk.seconds.sum() + alone.seconds.sum()), rel=1e-4
    )
    assert judged.second_seconds == pytest.approx(judged.other_seconds, rel=1e-4)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), rooms=st.lists(st.floats(0.0, 0.18), min_size=1, max_size=5))
def test_a_voice_in_other_rooms_is_still_that_voice(seed: int, rooms: list[float]) -> None:
    voice = direction(seed)
    heard = [
        spoken(at(voice, far, seed, number), 20, seed + 10 + number)
        for number, far in enumerate(rooms)
    ]
    judged = judge([spoken(voice, 40, seed), *heard], SCALE)
    assert not any(others.any() for others in judged.others)
    # Each recording is compared with the voice as it holds it itself.
    assert all(np.median(distances) < 0.05 for distances in judged.distances)


def test_a_gap_parts_two_voices_that_are_nearly_alike() -> None:
    voice = direction(1)
    near = at(voice, 0.22, 2)
    judged = judge([together(spoken(voice, 40, 3), spoken(near, 6, 4))], SCALE)
    assert not judged.others[0][:40].any()
    assert judged.others[0][40:].sum() >= 5


def test_the_voice_that_speaks_longer_is_the_projects_not_the_one_with_more_clips() -> None:
    one, other = direction(1), at(direction(1), 0.8, 2)
    long = Heard(np.array([at(one, 0.02, n) for n in range(5)], np.float32), np.full(5, 9.0, "f4"))
    short = Heard(
        np.array([at(other, 0.02, n) for n in range(15)], np.float32), np.full(15, 2.0, "f4")
    )
    judged = judge([long, short], SCALE)
    assert not judged.others[0].any()
    assert judged.others[1].all()
    assert (judged.seconds, judged.other_seconds, judged.second_seconds) == (45, 30, 30)


def test_others_of_several_voices_count_by_the_longest() -> None:
    voices = [at(direction(1), 0.7, seed) for seed in (2, 3)]
    guests = [spoken(voices[0], 6, 5), spoken(voices[1], 3, 6)]
    judged = judge([together(spoken(direction(1), 40, 4), *guests)], SCALE)
    assert judged.second_seconds == pytest.approx(float(guests[0].seconds.sum()))
    assert judged.other_seconds == pytest.approx(sum(float(g.seconds.sum()) for g in guests))


def test_short_clips_may_stray_farther() -> None:
    voice = direction(1)
    base = spoken(voice, 40, 2)
    stray = np.array([at(voice, 0.3, 3)] * 2, np.float32)
    judged = judge([together(base, Heard(stray, np.array([1.2, 6.0], np.float32)))], SCALE)
    assert list(judged.others[0][-2:]) == [False, True]
    assert judged.distances[0][-2:] == pytest.approx([0.3, 0.3], abs=0.02)


def test_nothing_and_one_clip_are_no_trouble() -> None:
    nothing = Heard(np.zeros((0, 0), np.float32), np.zeros(0, np.float32))
    assert judge([], SCALE).seconds == 0
    assert judge([nothing], SCALE).others[0].shape == (0,)
    one = spoken(direction(1), 1, 1)
    judged = judge([nothing, one], SCALE)
    assert not judged.others[1].any()
    assert judged.distances[1] == pytest.approx([0], abs=1e-5)


def test_fifty_thousand_clips_are_judged_in_seconds() -> None:
    dice = np.random.default_rng(1)
    vectors = direction(1) + 0.02 * dice.standard_normal((50_000, SIZE))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    seconds = dice.uniform(1, 9, 50_000).astype(np.float32)
    judged = judge([Heard(vectors.astype(np.float32), seconds)], SCALE)
    assert not judged.others[0].any()
    assert distance(vectors[:1].astype(np.float32), direction(1).astype(np.float32))[0] < 0.1
