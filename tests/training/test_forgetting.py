from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from engine.events import Event, Stage, VoiceEvaluated, Warned
from engine.training.forgetting import EarlierVoice, Forgetting
from engine.training.losses import Measured


class _Task:
    """As much of a task as measuring needs; `ce` is what it costs now."""

    def __init__(self, ce: float) -> None:
        self.weights = {"text": 0.01, "mel": 1.0}
        self.ce = ce


def measure(task: Any) -> Measured:
    return Measured({"text": 2.0, "mel": task.ce}, {"text": 0.02, "mel": task.ce})


def told_of(run: Path, task: Any, key: str = "k") -> tuple[Forgetting, list[Event]]:
    told: list[Event] = []
    return Forgetting([EarlierVoice("Anna", 3, key, task)], run, told.append), told


def evaluate(forgetting: Forgetting, task: Any, ce: float, step: int) -> None:
    task.ce = ce
    forgetting.tell(forgetting.measure(measure), step, step)


@pytest.mark.parametrize(
    ("losses", "warns_at"),
    [
        ([3.9, 4.1, 4.15], None),
        ([4.1, 4.3, 4.6, 5.0], 2),
        ([math.nan, 4.3], 2),
    ],
)
def test_a_voice_that_got_clearly_worse_is_warned_of_once(
    losses: list[float], warns_at: int | None, tmp_path: Path
) -> None:
    task = _Task(4.0)
    forgetting, told = told_of(tmp_path, task)
    forgetting.begin(measure)
    for step, ce in enumerate(losses, 1):
        evaluate(forgetting, task, ce, step)
    at = [e.step for e, after in zip(told, [*told[1:], None], strict=True)
          if isinstance(e, VoiceEvaluated) and isinstance(after, Warned)]  # fmt: skip
    assert at == ([warns_at] if warns_at else [])
    for warning in told:
        if isinstance(warning, Warned):
            assert warning.code == "forgetting"
            assert "Anna rose by 7%" in warning.seen
            assert "fewer epochs" in warning.remedy


def test_the_first_losses_come_from_the_run_unless_they_are_of_something_else(
    tmp_path: Path,
) -> None:
    told_of(tmp_path, _Task(4.0))[0].begin(measure)
    again, told = told_of(tmp_path, task := _Task(9.0))
    again.begin(measure)
    assert told == []
    evaluate(again, task, 4.1, 7)
    (event,) = told
    assert isinstance(event, VoiceEvaluated)
    assert (event.first, event.change) == (pytest.approx(4.02), pytest.approx(0.1))
    # Other clips, or another base.
    other, told = told_of(tmp_path, _Task(9.0), key="other")
    other.begin(measure)
    assert [type(event) for event in told] == [Stage, VoiceEvaluated]


def test_a_damaged_file_of_first_losses_is_measured_again(tmp_path: Path) -> None:
    told_of(tmp_path, _Task(math.nan))[0].begin(measure)
    for path in tmp_path.iterdir():
        path.write_text("{")
    again, told = told_of(tmp_path, _Task(4.0))
    again.begin(measure)
    assert isinstance(told[-1], VoiceEvaluated)
    assert told[-1].first == pytest.approx(4.02)


def test_without_earlier_voices_nothing_is_told_or_written(tmp_path: Path) -> None:
    told: list[Event] = []
    forgetting = Forgetting([], tmp_path, told.append)
    forgetting.begin(measure)
    forgetting.tell(forgetting.measure(measure), 1, 1)
    assert (told, list(tmp_path.iterdir())) == ([], [])
