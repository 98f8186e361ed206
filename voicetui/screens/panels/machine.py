"""The dashboard's gauges: cards with their history, CPU, memory, and what the next checkpoint needs."""

from __future__ import annotations

from pathlib import Path

from engine.events import Event, Parameters, Saved
from engine.hardware import Reading
from engine.training.memory import CHECKPOINT_BYTES
from engine.training.saved import size_of
from engine.xtts.network import network_of
from voicetui.widgets.gauges import History, gpu_lines, host_lines
from voicetui.widgets.styled import Line

# Weights and both moments of AdamW in fp32.
_BYTES_PER_PARAMETER = 12


class Gauges:
    """What the machine panel remembers: the readings of the last minutes, and the next save's size.

    `needed` is in bytes; 0 where nothing is going to be saved.
    """

    def __init__(self) -> None:
        self.needed = 0
        self._history = History()
        self._taken = 0.0

    def set_needed(self, newest: Path | None, base: Path | None) -> None:
        """Take the size of the newest checkpoint of a run; before the first one what its base
        gives, and without a base on this machine that of the whole XTTS."""
        network = network_of(base) if newest is None and base is not None else None
        if newest is not None:
            self.needed = size_of(newest)
        elif network is not None:
            self.needed = network.parameters * _BYTES_PER_PARAMETER
        else:
            self.needed = CHECKPOINT_BYTES

    def learn(self, event: Event) -> None:
        """Take what an event of the run tells of the size of its checkpoints."""
        match event:
            case Saved():
                self.needed = event.bytes
            case Parameters():
                self.needed = event.trained * _BYTES_PER_PARAMETER

    def lines(self, reading: Reading | None, width: int, rows: int) -> list[Line]:
        """The newest reading as lines, at most `rows`."""
        if reading is None:
            return [[("reading the machine…", "dim")]]
        if reading.time > self._taken:
            self._taken = reading.time
            self._history.add(reading)
        cards = gpu_lines(reading, self._history, width)
        host = host_lines(reading, self._history, width, self.needed or None)
        return [*cards[: max(1, rows - len(host))], *host][:rows]
