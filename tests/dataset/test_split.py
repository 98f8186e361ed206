from __future__ import annotations

import hashlib
import random
import time
from itertools import pairwise
from pathlib import Path

import pytest

from engine.audio.speech import Span
from engine.dataset import split
from engine.dataset.split import ALL, NOTHING, HeldOut

SHARE = 0.15


def sha(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


def clips(seed: int, count: int, pause: float | None = None) -> list[Span]:
    choose = random.Random(seed)
    now, made = 0.0, []
    for _ in range(count):
        length = choose.uniform(1.5, 9.0)
        made.append(Span(now, now + length))
        now += length + (choose.choice([0.1, 0.3, 0.8, 1.5]) if pause is None else pause)
    return made


def seconds(dataset: dict[str, list[Span]], decisions: dict[str, HeldOut], where: str) -> float:
    return sum(
        clip.seconds
        for name, spans in dataset.items()
        for clip, side in zip(
            spans, split.sides(spans, decisions[name], alone=len(dataset) == 1), strict=True
        )
        if side == where
    )


@pytest.mark.parametrize("sources", [1, 2, 3, 4, 9, 30])
@pytest.mark.parametrize("seed", range(5))
def test_about_the_share_is_held_out(sources: int, seed: int) -> None:
    dataset = {sha((seed, n)): clips(seed * 100 + n, 40) for n in range(sources)}
    decisions = split.decide(dataset, {}, SHARE)
    total = sum(clip.seconds for spans in dataset.values() for clip in spans)
    # Whole recordings can only come as near as their lengths allow.
    nearest = 0.02 if sources < split.FEWEST_SOURCES else 0.5 / sources + 0.02
    assert abs(seconds(dataset, decisions, "eval") / total - SHARE) < nearest
    assert seconds(dataset, decisions, "") / total < 0.02


@pytest.mark.parametrize("sources", [1, 3])
@pytest.mark.parametrize("seed", range(10))
def test_a_second_lies_between_the_sets_of_a_shared_recording(sources: int, seed: int) -> None:
    dataset = {sha((seed, n)): clips(seed * 100 + n, 12) for n in range(sources)}
    decisions = split.decide(dataset, {}, SHARE)
    for name, spans in dataset.items():
        placed = [
            (clip, side)
            for clip, side in zip(spans, split.sides(spans, decisions[name]), strict=True)
            if side
        ]
        assert {side for _, side in placed} == {"train", "eval"}
        for (left, before), (right, after) in pairwise(placed):
            assert before == after or right.start - left.end >= 1.0
        borders = sum(before != after for (_, before), (_, after) in pairwise(placed))
        assert borders <= 2, "one block, not single clips"


def test_many_recordings_are_held_out_whole_or_not_at_all() -> None:
    dataset = {sha(n): clips(n, 10) for n in range(8)}
    decisions = split.decide(dataset, {}, SHARE)
    assert set(decisions.values()) == {ALL, NOTHING}


@pytest.mark.parametrize("first", [1, 2, 3, 4, 7])
def test_adding_recordings_moves_no_clip(first: int) -> None:
    dataset = {sha(n): clips(n, 15) for n in range(first)}
    decisions = split.decide(dataset, {}, SHARE)
    for n in range(first, first + 6):
        dataset[sha(n)] = clips(n, 15)
        grown = split.decide(dataset, decisions, SHARE)
        assert grown.items() >= decisions.items()
        decisions = grown
    total = sum(clip.seconds for spans in dataset.values() for clip in spans)
    assert 0.08 < seconds(dataset, decisions, "eval") / total < 0.25


def test_other_settings_and_other_cuts_move_nothing() -> None:
    dataset = {sha(n): clips(n, 15) for n in range(2)}
    decisions = split.decide(dataset, {}, SHARE)
    again = {name: [Span(s.start, s.end - 0.2) for s in spans] for name, spans in dataset.items()}
    assert split.decide(again, decisions, 0.4) == decisions


def test_the_decision_depends_on_content_not_on_order() -> None:
    dataset = {sha(n): clips(n, 15) for n in range(3)}
    backwards = dict(reversed(dataset.items()))
    assert split.decide(dataset, {}, SHARE) == split.decide(backwards, {}, SHARE)


@pytest.mark.parametrize(
    "dataset",
    [
        {sha(1): clips(1, 2, pause=0.1)},
        {sha(1): clips(1, 3, pause=0.1)},
        {sha(1): clips(1, 1), sha(2): clips(2, 1)},
        {sha(n): clips(n, 1) for n in range(3)},
        {sha(n): clips(n, 1) for n in range(5)},
        {sha(1): clips(1, 30), **{sha(n): clips(n, 1) for n in range(2, 6)}},
    ],
)
def test_two_clips_are_enough_for_one_in_each_set(dataset: dict[str, list[Span]]) -> None:
    decisions = split.decide(dataset, {}, SHARE)
    assert seconds(dataset, decisions, "eval") > 0
    assert seconds(dataset, decisions, "train") > 0


def test_a_single_clip_is_trained_on() -> None:
    dataset = {sha(1): clips(1, 1)}
    assert split.sides(dataset[sha(1)], split.decide(dataset, {}, SHARE)[sha(1)]) == ["train"]


def test_recordings_without_clips_are_decided_on_when_they_have_some() -> None:
    dataset = {sha(1): clips(1, 10), sha(2): []}
    assert sha(2) not in split.decide(dataset, {}, SHARE)


def test_when_all_held_out_speech_is_gone_other_speech_is_taken() -> None:
    dataset = {sha(n): clips(n, 10) for n in range(5)}
    decisions = split.decide(dataset, {}, SHARE)
    left = {name: spans for name, spans in dataset.items() if decisions[name] == NOTHING}
    again = split.decide(left, decisions, SHARE)
    assert seconds(left, again, "eval") > 0
    assert seconds(left, again, "train") > 0


def test_decisions_are_stored(tmp_path: Path) -> None:
    decisions = {sha(1): ALL, sha(2): NOTHING, sha(3): (Span(1.5, 20.25),)}
    split.save(tmp_path, decisions)
    assert split.load(tmp_path) == decisions
    assert split.load(tmp_path / "elsewhere") == {}


def test_thousands_of_clips_are_decided_on_quickly() -> None:
    dataset = {sha(1): clips(1, 5000)}
    begun = time.perf_counter()
    split.decide(dataset, {}, SHARE)
    assert time.perf_counter() - begun < 2.0
