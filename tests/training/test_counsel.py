"""What is told of the held-out losses, when, and that its advice can be followed."""

from __future__ import annotations

import re

import pytest

from engine.events import Note, Warned
from engine.settings import SETTINGS
from engine.training import counsel
from engine.training.checkpoint import Evaluation


def evaluations(*losses: float | None) -> list[Evaluation]:
    return [Evaluation(n, 40 * n, loss) for n, loss in enumerate(losses, 1)]


def told(*losses: float | None) -> list[str]:
    """The codes of what is told after each of the evaluations."""
    found = evaluations(*losses)
    news = [counsel.news(found[: n + 1]) for n in range(len(found))]
    return [warning.code for warning in news if warning]


def test_the_guides_overtraining_is_told_once_with_the_best_step() -> None:
    assert told(4.0, 3.5, 3.0, 2.8, 2.7, 2.8, 2.9) == ["overtraining"]
    warning = counsel.news(evaluations(4.0, 3.5, 3.0, 2.8, 2.7, 2.8, 2.9))
    assert warning is not None
    assert "since step 200" in warning.seen
    assert "best is step 200" in warning.means
    assert "early_stop_epochs" in warning.remedy


def test_the_guides_good_progression_is_told_at_the_end() -> None:
    assert told(4.0, 3.5, 3.0, 2.8) == []
    note = counsel.at_the_end(evaluations(4.0, 3.5, 3.0, 2.8), 4)
    assert isinstance(note, Note)
    assert "still falling: more epochs will help" in note.text
    assert "--more 2" in note.text


def test_what_fell_slowly_is_not_promised_much() -> None:
    note = counsel.at_the_end(evaluations(3.0, 2.9, 2.899, 2.898), 4)
    assert isinstance(note, Note)
    assert "a little" in note.text


def test_a_finished_run_that_no_longer_fell_is_not_sent_on() -> None:
    assert counsel.at_the_end(evaluations(4.0, 3.0, 3.0, 3.0), 4) is None
    assert counsel.at_the_end(evaluations(4.0, 3.0, 3.2, 3.4), 4) is None


@pytest.mark.parametrize(
    ("losses", "codes"),
    [
        ((4.0, 3.0, 3.0, 3.0, 3.0, 3.0), ["plateau"]),
        ((3.0, None, None), ["evaluation_not_finite"]),
        ((3.0, 3.5, 5.0), ["diverging"]),
        # Flat, then a little better, then flat again: once is enough.
        ((4.0, 3.0, 3.0, 3.0, 2.9, 2.9, 2.9), ["plateau"]),
        ((), []),
        ((None,), ["evaluation_not_finite"]),
    ],
)
def test_news(losses: tuple[float | None, ...], codes: list[str]) -> None:
    assert told(*losses) == codes


def test_every_setting_that_is_advised_exists() -> None:
    names = {row.name for row in SETTINGS.values()}
    for losses in ((4, 3, 3, 3), (3, 3.5, 5), (2.7, 2.8, 2.9), (3.0, None)):
        warning = counsel.news(evaluations(*losses))
        assert isinstance(warning, Warned)
        assert set(re.findall(r"[a-z]+(?:_[a-z]+)+", warning.remedy)) <= names
