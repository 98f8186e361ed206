"""The machine at a glance: bars, short histories, and words for what runs short."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from engine.hardware import LOW_VRAM_BYTES, Gpu, Reading
from engine.text import clean
from voicetui.amounts import size
from voicetui.widgets.styled import Line, fitted, plain, wrapped

# Linux begins to kill processes when RAM runs out; this much is soon gone.
LOW_RAM_SHARE = 0.05
HOT_CELSIUS = 85
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
_LOW = " low"
_VRAM_CELLS = len("99.9/99.9 GB")
_LEAST_NAME, _LEAST_BAR = 8, 3
_MOST_BAR, _MOST_SPARK = 16, 24
# From this width on the power limit is shown too.
_LIMITS = 100


class History:
    """The last `size` readings; older ones are forgotten."""

    def __init__(self, size: int = 120) -> None:
        self._readings: deque[Reading] = deque(maxlen=size)

    def __len__(self) -> int:
        return len(self._readings)

    def add(self, reading: Reading) -> None:
        self._readings.append(reading)

    def load(self, index: int) -> list[float | None]:
        """Of the card `index`, 0 to 1, oldest first; None where it was not known."""
        return [None if gpu is None else _percent(gpu.load) for gpu in self._cards(index)]

    def vram(self, index: int) -> list[float | None]:
        """The share of the card's memory in use, 0 to 1."""
        return [
            None if gpu is None else _share(gpu.memory_used, gpu.memory_total)
            for gpu in self._cards(index)
        ]

    def cpu(self) -> list[float | None]:
        return [_percent(reading.cpu) for reading in self._readings]

    def ram(self) -> list[float | None]:
        return [_share(reading.ram.used, reading.ram.total) for reading in self._readings]

    def _cards(self, index: int) -> list[Gpu | None]:
        return [
            next((gpu for gpu in reading.gpus if gpu.index == index), None)
            for reading in self._readings
        ]


def bar(fraction: float | None, width: int, style: str = "one") -> Line:
    """A bar of `width` cells for 0 to 1, to the eighth of a cell; empty for None.

    Put the number in words beside it, so that nobody must measure it.
    """
    share = 0.0 if fraction is None or not math.isfinite(fraction) else fraction
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    filled = "█" * (eighths // 8)
    if eighths % 8:
        filled += _EIGHTHS[eighths % 8]
    return [(filled, style), ("░" * (width - len(filled)), "faint")]


def sparkline(values: Sequence[float | None], width: int) -> str:
    """The last `width` values of 0 to 1 as small columns; what is not known is blank."""
    shown = values[-width:] if width > 0 else []
    return "".join(_level(value) for value in shown).rjust(max(0, width))


def _level(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return " "
    return _LEVELS[min(7, int(max(0.0, min(1.0, value)) * 8))]


@dataclass(frozen=True)
class _Layout:
    """The cells of each part of a card's line, the same for all cards so that they align."""

    name: int
    bars: int
    spark: int
    note: int


def gpu_lines(reading: Reading, history: History, width: int) -> list[Line]:
    """One line for each card; two where one is too narrow."""
    if not reading.gpus:
        told = wrapped("no NVIDIA GPU found: training would use the CPU, slowly", width)
        return [[(line, "dim")] for line in told]
    lines: list[Line] = []
    layout = _one_line(reading.gpus, width)
    for gpu in reading.gpus:
        if gpu.lost:
            lines.append([(f"{gpu.index} {short_name(gpu)}  no longer answers", "bad")])
        elif layout is not None:
            lines.append(_wide(gpu, history, layout, width))
        else:
            lines += _narrow(gpu, history, width)
    return lines


def _one_line(gpus: Sequence[Gpu], width: int) -> _Layout | None:
    """How a card fits on one line; None when it does not."""
    live = [gpu for gpu in gpus if not gpu.lost]
    note = max((len(_LOW) for gpu in live if _is_low(gpu)), default=0)
    tail = max((cell_len(plain(_tail(gpu, width >= _LIMITS))) for gpu in live), default=0)
    room = width - len("0   load  100 %  VRAM   ") - _VRAM_CELLS - note - tail
    name = min(max(cell_len(short_name(gpu)) for gpu in gpus), room - 3 * _LEAST_BAR)
    if name < _LEAST_NAME:
        return None
    bars = min(_MOST_BAR, (room - name) // 3)
    return _Layout(name, bars, min(_MOST_SPARK, room - name - 2 * bars), note)


def _wide(gpu: Gpu, history: History, layout: _Layout, width: int) -> Line:
    return [
        (f"{gpu.index} ", "dim"),
        (fitted(short_name(gpu), layout.name), "bold"),
        *_load(gpu, layout.bars, "  "),
        *_vram(gpu, layout.bars, "  ", layout.note),
        (" " + sparkline(history.vram(gpu.index), layout.spark), "dim"),
        *_tail(gpu, width >= _LIMITS),
    ]


def _narrow(gpu: Gpu, history: History, width: int) -> list[Line]:
    tail = _tail(gpu, False)
    name = max(0, width - 2 - cell_len(plain(tail)))
    note = len(_LOW) if _is_low(gpu) else 0
    room = width - len("  load  100 %  VRAM  ") - _VRAM_CELLS - note
    bars = max(0, min(_MOST_BAR, room // 3))
    numbers: Line = [("  ", ""), *_load(gpu, bars, ""), *_vram(gpu, bars, "  ", note)]
    spark = max(0, min(_MOST_SPARK, room - 2 * bars - 1))
    if spark:
        numbers.append((" " + sparkline(history.vram(gpu.index), spark), "dim"))
    head: Line = [(f"{gpu.index} ", "dim"), (fitted(short_name(gpu), name), "bold"), *tail]
    return [head, numbers]


def short_name(gpu: Gpu) -> str:
    """What tells a card from others: its name without its maker's."""
    return clean(gpu.name).removeprefix("NVIDIA ").removeprefix("GeForce ")


def _is_low(gpu: Gpu) -> bool:
    return gpu.memory_free is not None and gpu.memory_free < LOW_VRAM_BYTES


def _load(gpu: Gpu, bars: int, gap: str) -> Line:
    load = "  -  " if gpu.load is None else f"{gpu.load:3d} %"
    space = " " if bars else ""
    return [(f"{gap}load ", "dim"), *bar(_percent(gpu.load), bars), (f"{space}{load}", "")]


def _vram(gpu: Gpu, bars: int, gap: str, note: int) -> Line:
    style = "warn" if _is_low(gpu) else ""
    text = _used_of(gpu.memory_used, gpu.memory_total).rjust(_VRAM_CELLS)
    text += (_LOW if style else "").ljust(note)
    filled = bar(_share(gpu.memory_used, gpu.memory_total), bars, style or "one")
    space = " " if bars else ""
    return [(f"{gap}VRAM ", "dim"), *filled, (f"{space}{text}", style)]


def _tail(gpu: Gpu, with_limit: bool) -> Line:
    """Temperature, power, and why it is slow."""
    hot = gpu.temperature is not None and gpu.temperature >= HOT_CELSIUS
    celsius = " -" if gpu.temperature is None else f"{gpu.temperature:2d}"
    tail: Line = [(f"  {celsius}°C", "warn" if hot else "")]
    watts = "  -" if gpu.power is None else f"{gpu.power:3.0f}"
    if with_limit and gpu.power_limit is not None:
        watts += f"/{gpu.power_limit:.0f}"
    tail.append((f"  {watts} W", ""))
    if gpu.slowed:
        tail.append((f"  slowed: {clean(', '.join(gpu.slowed))}", "warn"))
    return tail


def host_lines(
    reading: Reading, history: History, width: int, needed: int | None = None
) -> list[Line]:
    """CPU and RAM, then the disk; `needed` is the size of the next checkpoint in bytes."""
    ram = reading.ram
    low = ram.total > 0 and ram.available < LOW_RAM_SHARE * ram.total
    style = "warn" if low else ""
    percent = "  -  " if reading.cpu is None else f"{reading.cpu:3.0f} %"
    amount = _used_of(ram.used, ram.total) + (" low" if low else "")
    fixed = len("CPU  ") + len(percent) + len("  RAM  ") + len(amount)
    bars = max(0, min(_MOST_BAR, (width - fixed) // 3))
    first: Line = [
        ("CPU ", "dim"),
        *bar(_percent(reading.cpu), bars),
        (f" {percent}", ""),
        ("  RAM ", "dim"),
        *bar(_share(ram.used, ram.total), bars, style or "one"),
        (f" {amount}", style),
    ]
    spark = max(0, min(_MOST_SPARK, width - cell_len(plain(first)) - 1))
    first.append((" " + sparkline(history.cpu(), spark), "dim"))
    return [first, *_disk(reading, needed, width)]


def _disk(reading: Reading, needed: int | None, width: int) -> list[Line]:
    """One line, or two where one is too narrow."""
    if reading.disk is None:
        return [[("disk ", "dim"), ("free space not known", "dim")]]
    free = reading.disk.free
    fits = needed is None or needed <= free
    room: Line = [("disk ", "dim"), (f"{size(free)} free", "" if fits else "warn")]
    if needed is None:
        return [room]
    text = f"next checkpoint needs {size(needed)}{'' if fits else ': make room'}"
    wants: Line = [(text, "dim" if fits else "warn")]
    if cell_len(plain([*room, *wants])) + 2 <= width:
        return [[*room, ("  ", ""), *wants]]
    return [room, [("     ", ""), *wants]]


def _percent(value: float | None) -> float | None:
    return None if value is None else value / 100


def _share(used: int | None, total: int | None) -> float | None:
    return None if used is None or not total else used / total


def _used_of(used: int | None, total: int | None) -> str:
    """Two sizes in the unit of the larger: 18.2/24.0 GB."""
    if total is None:
        return "-" if used is None else size(used)
    number, unit = size(total).split(" ")
    power = {"B": 0, "kB": 1, "MB": 2, "GB": 3, "TB": 4}[unit]
    if used is None:
        return f"-/{number} {unit}"
    scaled = used / 1000**power
    return f"{scaled:.0f}/{number} {unit}" if "." not in number else f"{scaled:.1f}/{number} {unit}"
