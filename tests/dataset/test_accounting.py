from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_clips import CLIP

from engine.dataset import accounting
from engine.dataset.accounting import Recording, accounted
from engine.dataset.clips import Clip, SourceRef, State
from engine.dataset.cutting import CutSource
from engine.dataset.pieces import Pieces
from engine.dataset.sources import Source
from engine.errors import DatasetError

ONE = SourceRef("rec/one.wav", "1" * 64)
USED = Recording(ONE.path, ONE.sha256, "used", seconds=60.0)


def clip(start: float, end: float, state: State = "kept", source: SourceRef = ONE) -> Clip:
    return replace(CLIP, id=f"{start}", source=source, start=start, end=end, state=state)


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def is_exact(each: Recording) -> bool:
    parts = (each.kept_seconds, each.dropped_seconds, each.non_speech_seconds)
    return sum(map(milliseconds, parts)) == milliseconds(each.seconds)


def test_every_second_is_in_one_place() -> None:
    (found,) = accounted(
        [USED], [clip(1.0, 4.5), clip(5.0, 7.25, "suspect"), clip(10.0, 10.4, "dropped")]
    )
    assert (found.kept_seconds, found.suspect_seconds) == (5.75, 2.25)
    assert (found.dropped_seconds, found.non_speech_seconds) == (0.4, 53.85)
    assert found.clips == {"kept": 1, "suspect": 1, "dropped": 1}
    assert is_exact(found)


def test_a_recording_without_clips_is_all_non_speech() -> None:
    (found,) = accounted([USED], [])
    assert (found.non_speech_seconds, found.clips) == (60.0, {})


def test_only_what_is_used_has_times() -> None:
    others = [
        Recording("b.wav", "2" * 64, "duplicate", same_as=ONE.path),
        Recording("c.wav", "", "failed", message="it is cut off"),
    ]
    two = SourceRef("two.wav", "3" * 64)
    used = [USED, Recording(two.path, two.sha256, "used", seconds=10.0005)]
    found = accounted([*used, *others], [clip(0.0, 60.0), clip(0.0, 9.0, "dropped", two)])
    assert found[2:] == others
    assert accounting.totals(found) == {
        "input_seconds": 70.0,
        "kept_seconds": 60.0,
        "suspect_seconds": 0.0,
        "dropped_seconds": 9.0,
        "non_speech_seconds": 1.0,
    }


@settings(max_examples=60, deadline=None)
@given(st.floats(0.001, 40_000.0), st.integers(0, 40), st.integers(0, 2**32))
def test_nothing_is_counted_twice_or_lost(seconds: float, count: int, seed: int) -> None:
    choose = random.Random(seed)
    starts = sorted(choose.uniform(0.0, seconds) for _ in range(count))
    made = [
        clip(
            round(start, 3),
            round(start + choose.uniform(0.001, 12.0), 3),
            choose.choice(["kept", "suspect", "dropped"]),
        )
        for start in starts
    ]
    (found,) = accounted([replace(USED, seconds=round(seconds, 3))], made)
    assert is_exact(found)
    assert min(found.kept_seconds, found.dropped_seconds, found.non_speech_seconds) >= 0
    assert found.suspect_seconds <= found.kept_seconds


def test_lines_come_back_from_the_file(tmp_path: Path) -> None:
    odd = "rec/\udcff\n“odd”.wav"
    cut = CutSource(61.23456, 40.0, (), Counter(), pieces=Pieces(5, 3, 1, ((1.0, 0.5, 1.0),), 1, 0))
    rows = [accounting.used(Source(Path(odd), odd, "4" * 64), cut), USED]
    assert accounting.read(tmp_path) == [], "before the first preparation"
    (tmp_path / accounting.FILE_NAME).write_bytes(accounting.encode(rows))
    assert accounting.read(tmp_path) == rows
    assert rows[0].seconds == 61.235


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    (tmp_path / accounting.FILE_NAME).write_bytes(accounting.encode([USED]) + b'{"path": 1}\n')
    with pytest.raises(DatasetError, match=r"recordings\.jsonl, line 2 is no recording"):
        accounting.read(tmp_path)
