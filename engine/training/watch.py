"""Looks at a run's numbers now and then, and warns of what `engine.training.health` sees."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from engine import hardware
from engine.events import Event, Step, Warned
from engine.training import health

if TYPE_CHECKING:
    from engine.training.precision import Place

# Steps that are remembered, and after how many the look is repeated.
_REMEMBERED = 200
_EVERY_STEPS = 20


class Watch:
    """Tells each trouble once for a process, as it begins.

    `checkpoint_bytes` is what a checkpoint in the folder `run` takes. Nothing here waits for a GPU.
    """

    def __init__(
        self, place: Place, run: Path, emit: Callable[[Event], None], checkpoint_bytes: int
    ) -> None:
        self._place, self._run, self._emit = place, run, emit
        self._checkpoint_bytes = checkpoint_bytes
        self._steps: deque[Step] = deque(maxlen=_REMEMBERED)
        # The most that the present epoch held, and on a GPU what its tensors took of that.
        self._peak = self._allocated = 0.0
        self._peaks: list[float] = []
        self._told: set[str] = set()
        self._looks: list[Callable[[], Warned | None]] = []

    def also(self, look: Callable[[], Warned | None]) -> None:
        """Look at something else too when an epoch has ended."""
        self._looks.append(look)

    def begin(self) -> None:
        """Look at the machine before the first step."""
        if vram := self._place.vram():
            self._tell(health.small_card(vram[1]))
        self._tell(self._saving())

    def stepped(self, step: Step, allocated: float | None) -> None:
        """Take a step into account, and look now and then.

        `allocated` is the most that tensors took of the GPU in it, in bytes; None on CPU.
        """
        # Those that were thrown away have no loss to compare.
        if math.isfinite(step.loss):
            self._steps.append(step)
        self._peak = max(self._peak, step.memory)
        self._allocated = max(self._allocated, allocated or 0.0)
        if step.step % _EVERY_STEPS == 0:
            self._look()

    def epoch_ended(self, epoch: int) -> None:
        """Look at what an epoch took, and tell the memory that is in use after it."""
        self._look()
        now = self._place.memory_now(f"epoch {epoch}")
        self._emit(now)
        self._peaks.append(self._peak)
        self._tell(health.memory_grows(self._peaks))
        self._tell(self._saving())
        for look in self._looks:
            self._tell(look())
        if now.gpu_total:
            self._tell(health.fragmented(self._peak, self._allocated))
            self._tell(health.little_vram_free(now.gpu_free))
        self._peak = self._allocated = 0.0

    def _look(self) -> None:
        for found in self._of_steps():
            self._tell(found)

    def _of_steps(self) -> Iterator[Warned | None]:
        steps = [*self._steps]
        yield health.loss_spikes(steps)
        yield health.slow_loader(steps)
        yield health.slowed_down(steps)

    def _saving(self) -> Warned | None:
        disk = hardware.disk(self._run)
        ram = hardware.memory().available
        return health.no_room_to_save(
            self._checkpoint_bytes, None if disk is None else disk.free, ram
        )

    def _tell(self, found: Warned | None) -> None:
        if found is not None and found.code not in self._told:
            self._told.add(found.code)
            self._emit(found)
