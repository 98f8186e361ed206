"""The EVAL PERFORMANCE table and its sentence."""

from __future__ import annotations

import math

import pytest
from helpers_widgets import evaluated
from rich.cells import cell_len

from engine.events import Evaluated, VoiceEvaluated
from voicetui.widgets.evaluations import earlier_lines, evaluation_lines, verdict_line
from voicetui.widgets.styled import Line, plain


def table(losses: list[float]) -> list[Evaluated]:
    return [evaluated(40 * (n + 1), loss, n + 1) for n, loss in enumerate(losses)]


def rows(losses: list[float], width: int = 80, count: int = 20) -> list[str]:
    return [plain(line).rstrip() for line in evaluation_lines(table(losses), width, count)]


def spans(line: Line, sign: str) -> set[str]:
    return {style for text, style in line if sign in text}


def test_the_table_of_the_guide() -> None:
    assert rows([4.0, 3.5, 3.0, 3.1]) == [
        "epoch   step text_ce           mel_ce          average loss",
        "    1     40  0.0200            3.980                 4.000",
        "    2     80  0.0200 =          3.480 ▼-0.500         3.500 ▼-0.500",
        "    3    120  0.0200 =          2.980 ▼-0.500         3.000 ▼-0.500 ★ best",
        "    4    160  0.0200 =          3.080 ▲+0.100         3.100 ▲+0.100",
    ]


def test_colours_say_what_is_good() -> None:
    lines = evaluation_lines(table([4.0, 3.5, 3.6]), 80, 20)
    assert spans(lines[2], "▼") == {"good"}
    assert spans(lines[3], "▲") == {"bad"}
    assert spans(lines[2], "★") == {"good"}


@pytest.mark.parametrize("width", [40, 48, 56, 75, 120])
def test_every_width_has_every_loss(width: int) -> None:
    shown = rows([4.0, 3.5], width)
    assert "0.0200" in shown[2]
    assert "3.480" in shown[2]
    assert "3.500 ▼-0.500 ★" in shown[2]
    assert all(cell_len(row) <= width for row in shown)
    # The titles end where the values end.
    assert shown[0].index("mel_ce") + 6 == shown[2].index("3.480") + 5


def test_the_newest_are_shown() -> None:
    shown = rows([float(9 - n) for n in range(9)], count=4)
    assert [row.split()[0] for row in shown] == ["epoch", "7", "8", "9"]
    # One row is worth more than a heading.
    assert rows([3.0], count=1) == [rows([3.0])[1]]
    assert rows([3.0], count=0) == []
    assert "no evaluation yet" in rows([])[0]


def test_losses_that_are_no_numbers() -> None:
    shown = rows([math.nan, 3.0, math.inf, 2.0, 1e30])
    assert "NaN" in shown[1]
    assert "▼" not in shown[2]
    assert "+Inf" in shown[3]
    assert "★" in shown[4]
    assert "1.0e+30" in shown[5]


@pytest.mark.parametrize(
    ("losses", "sentence"),
    [
        ([], "too early to tell: the second evaluation will say more"),
        ([4.0, 3.5, 3.0, 2.8], "falling: more epochs will help"),
        ([4.0, 3.0, 3.2], "no better than epoch 2: wait for the next evaluation"),
        ([4.0, 3.0, 3.0, 2.999, 3.0], "flat for 3 epochs; the best is step 160"),
        (
            [4.5, 3.8, 3.5, 3.0, 2.8, 2.7, 2.8, 2.9],
            "rising since epoch 6: overtraining, the best is step 240",
        ),
        (
            [3.0, 3.5, 5.0],
            "far above the start: stop, and begin again at a lower rate; the best is step 40",
        ),
        ([3.0, math.nan], "the held-out loss is not a number: stop this run; the best is step 40"),
        ([math.inf], "the held-out loss is not a number: stop this run"),
    ],
)
def test_the_verdict_in_words(losses: list[float], sentence: str) -> None:
    assert plain(verdict_line(table(losses))) == sentence


def test_several_evaluations_an_epoch() -> None:
    within = [evaluated(10 * n, 3.0, 1) for n in range(1, 5)]
    assert plain(verdict_line(within)).startswith("flat for 3 evaluations")


def voice(name: str, loss: float, first: float = 4.0) -> VoiceEvaluated:
    return VoiceEvaluated(name, 40, 1, 5, loss, 2.0, loss, first=first, change=loss - first)


def test_earlier_voices_stand_with_the_most_forgotten_first() -> None:
    found = [voice("Anna", 4.1), voice("Ben [b]\x1b", 4.5), voice("Carl", 3.9)]
    lines = earlier_lines(found, 60, 2)
    assert [plain(line) for line in lines] == [
        "Ben [b]␛ 4.500 ▲+0.500 since the start",
        "Anna 4.100 ▲+0.100 since the start",
    ]
    assert spans(lines[0], "▲") == {"bad"}
    assert earlier_lines(found, 60, 0) == []


@pytest.mark.parametrize("width", [14, 20, 30, 60])
def test_a_long_name_of_an_earlier_voice_is_cut(width: int) -> None:
    (line,) = earlier_lines([voice("名前" * 40, 4.5)], width, 1)
    assert cell_len(plain(line)) <= max(width, 20)
    assert "4.500" in plain(line)
