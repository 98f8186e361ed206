"""Bars, histories and the words of the machine's gauges."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from helpers_console import piloted
from helpers_widgets import Host, rows_of
from rich.cells import cell_len

from engine.hardware import Disk, Gpu, Memory, Reading
from voicetui.widgets.gauges import History, bar, gpu_lines, host_lines, sparkline
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, plain

GB = 10**9
CARD = Gpu(0, "RTX 4090", 97, 18 * GB, 24 * GB, 63, 310.4, 450.0)
READING = Reading(
    0.0, (CARD,), 35.0, 12.0, Memory(32 * GB, 20 * GB), 3 * GB, Disk(120 * GB, 500 * GB), 0, 0
)
WIDTHS = (30, 40, 50, 60, 76, 100, 116, 190)


def reading(**changes: Any) -> Reading:
    return dataclasses.replace(READING, **changes)


def card(**changes: Any) -> Gpu:
    return dataclasses.replace(CARD, **changes)


def texts(lines: list[Line]) -> str:
    return "\n".join(plain(line) for line in lines)


def styles_of(lines: list[Line], part: str) -> set[str]:
    return {style for line in lines for text, style in line if part in text}


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0, "░░░░"),
        (1.0, "████"),
        (0.5, "██░░"),
        (1 / 32, "▏░░░"),
        (0.40625, "█▋░░"),
        (7.0, "████"),
        (-1.0, "░░░░"),
        (None, "░░░░"),
        (float("nan"), "░░░░"),
    ],
)
def test_a_bar_is_exact_to_the_eighth(fraction: float | None, text: str) -> None:
    assert plain(bar(fraction, 4)) == text
    assert plain(bar(fraction, 0)) == ""


def test_a_sparkline_shows_the_newest() -> None:
    assert sparkline([0.0, 0.5, 1.0], 3) == "▁▅█"
    assert sparkline([0.0, 0.5, 1.0], 2) == "▅█"
    assert sparkline([1.0, None, float("inf"), 9.0], 6) == "  █  █"
    assert sparkline([1.0], 0) == ""


def test_a_history_forgets_the_oldest() -> None:
    history = History(size=3)
    for load in (10, 20, None, 40):
        history.add(reading(gpus=(card(load=load),), cpu=float(load or 0)))
    assert len(history) == 3
    assert history.load(0) == [0.2, None, 0.4]
    assert history.vram(0) == [0.75] * 3
    assert history.load(7) == [None] * 3
    assert history.cpu() == [0.2, 0.0, 0.4]
    assert history.ram() == [0.375] * 3


def test_a_card_in_words() -> None:
    (line,) = gpu_lines(READING, History(), 116)
    shown = plain(line)
    for part in ("0 RTX 4090", "load ", " 97 %", "VRAM ", "18.0/24.0 GB", "63°C", "310/450 W"):
        assert part in shown
    assert " low" not in shown


def test_what_a_card_does_not_tell_is_a_dash() -> None:
    silent = Gpu(3, "Old card")
    for width in WIDTHS:
        shown = texts(gpu_lines(reading(gpus=(silent,)), History(), width))
        assert "None" not in shown
        assert shown.count("-") == 4


def test_little_free_vram_is_a_warning() -> None:
    tight = card(memory_used=24 * GB - 499_999_999)
    roomy = card(memory_used=24 * GB - 500_000_000)
    low = gpu_lines(reading(gpus=(tight,)), History(), 116)
    assert styles_of(low, " low") == {"warn"}
    assert " low" not in texts(gpu_lines(reading(gpus=(roomy,)), History(), 116))


def test_a_hot_slow_or_lost_card_says_so() -> None:
    cards = (card(temperature=91, slowed=("heat",)), card(index=1, lost=True))
    lines = gpu_lines(reading(gpus=cards), History(), 120)
    assert styles_of(lines, "91°C") == styles_of(lines, "slowed: heat") == {"warn"}
    assert styles_of(lines, "1 RTX 4090  no longer answers") == {"bad"}


def test_cards_align_and_fit() -> None:
    cards = (
        card(name="A very long name of a card indeed"),
        card(index=1, load=3, slowed=("power limit",)),
        card(index=2, memory_used=24 * GB - 1),
    )
    history = History()
    history.add(reading(gpus=cards))
    for width in WIDTHS:
        lines = gpu_lines(reading(gpus=cards), history, width)
        assert len(lines) == (3 if width >= 100 else 6)
        if width >= 40:
            assert max(cell_len(plain(line)) for line in lines) <= width
    columns = {plain(line).index("VRAM") for line in gpu_lines(reading(gpus=cards), history, 116)}
    assert len(columns) == 1


def test_no_card_is_said() -> None:
    assert "no NVIDIA GPU" in texts(gpu_lines(reading(gpus=()), History(), 80))


def test_the_host_in_words() -> None:
    shown = texts(host_lines(READING, History(), 80, 5_600_000_000))
    for part in ("CPU", " 35 %", "RAM", "12.0/32.0 GB", "120 GB free", "checkpoint needs 5.6 GB"):
        assert part in shown
    unknown = reading(cpu=None, disk=None)
    assert "free space not known" in texts(host_lines(unknown, History(), 80))
    for width in WIDTHS[1:]:
        lines = host_lines(READING, History(), width, 5_600_000_000)
        assert max(cell_len(plain(line)) for line in lines) <= width


def test_a_disk_too_small_for_the_next_checkpoint_is_a_warning() -> None:
    full = reading(disk=Disk(5 * GB, 500 * GB))
    lines = host_lines(full, History(), 80, 5_600_000_000)
    assert styles_of(lines, "make room") == styles_of(lines, "5.0 GB free") == {"warn"}
    assert "make room" not in texts(host_lines(full, History(), 80, 5 * GB))


def test_little_ram_is_a_warning() -> None:
    tight = reading(ram=Memory(32 * GB, 1 * GB))
    assert styles_of(host_lines(tight, History(), 80), " low") == {"warn"}


@piloted
async def test_names_are_shown_literally_and_in_ascii() -> None:
    hostile = reading(gpus=(card(name="[b]$x\x1b[31m"),))
    lines = [*gpu_lines(hostile, History(), 120), *host_lines(hostile, History(), 120, 1)]
    widget = Lines(lines)
    async with Host(widget).run_test(size=(120, 5)):
        assert "[b]$x␛[31m" in rows_of(widget)[0]
    widget = Lines(gpu_lines(READING, History(), 120))
    async with Host(widget, ascii_only=True).run_test(size=(120, 5)):
        shown = rows_of(widget)[0]
        assert "###" in shown
        assert "18.0/24.0 GB" in shown
