"""Memory while a dataset is prepared: told at the end of each stage, with a warning when it is low."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

import psutil

from engine.events import Event, Memory, Warned
from engine.hardware import LOW_VRAM_BYTES, Gpu, Monitor


class MemoryWatch:
    """Tells once a run how much memory each stage took.

    `emit` gets the events; `worker` gives the id of the recogniser's process while there is one.
    """

    def __init__(
        self,
        emit: Callable[[Event], None],
        worker: Callable[[], int | None],
        monitor: Monitor | None = None,
    ) -> None:
        self._emit = emit
        self._worker = worker
        self._monitor = monitor
        self._told: set[str] = set()
        self._warned = False

    def tell(self, stage: str) -> None:
        """Tell what is in use now, at the end of a stage; only the first time for each."""
        if stage in self._told:
            return
        self._told.add(stage)
        worker = self._worker()
        used = _resident(os.getpid()) + (_resident(worker) if worker else 0)
        with self._monitor or Monitor() as monitor:
            card = next(iter(monitor.gpus()), None)
        if card is None or not card.memory_total or card.memory_used is None:
            self._emit(Memory(stage, used))
            return
        free = card.memory_total - card.memory_used
        self._emit(Memory(stage, used, card.memory_used, free, card.memory_total))
        if free < LOW_VRAM_BYTES and not self._warned:
            self._warned = True
            self._emit(_low(card, free, stage))


def _resident(pid: int) -> int:
    # A process may end at any moment.
    with contextlib.suppress(psutil.Error):
        return int(psutil.Process(pid).memory_info().rss)
    return 0


def _low(card: Gpu, free: int, stage: str) -> Warned:
    return Warned(
        "low_gpu_memory",
        f"{free / 1e6:.0f} MB of {card.name}'s memory are free after '{stage}'.",
        "Speech recognition may run out of memory; then it goes on on the CPU, which is slower.",
        "Close other programs that use the GPU, or set asr_batch to 1, or take a smaller asr_model.",
    )
