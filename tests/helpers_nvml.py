"""A made NVIDIA driver with made cards, in the place of pynvml."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

GIB = 1 << 30


class Refused(Exception):
    """Stands for pynvml.NVMLError."""


class Unsupported(Refused):
    """Stands for NVMLError_NotSupported."""


class Lost(Refused):
    """Stands for NVMLError_GpuIsLost."""


@dataclass
class FakeCard:
    """A card; what is in `broken` is refused with that error, by the name of the function."""

    name: str = "NVIDIA GeForce RTX 4090"
    total: int = 24 * GIB
    used: int = 1 * GIB
    capability: tuple[int, int] = (8, 9)
    reasons: int = 0
    processes: list[Any] = field(default_factory=list)
    broken: dict[str, Refused] = field(default_factory=dict)


def process(pid: int, size: int | None) -> Any:
    return SimpleNamespace(pid=pid, usedGpuMemory=size)


class FakeNvml:
    """What `engine.nvml` uses of pynvml. `no_driver` makes the start fail."""

    NVMLError = Refused
    NVMLError_GpuIsLost = Lost
    NVML_TEMPERATURE_GPU = 0

    def __init__(self, *cards: FakeCard, cuda: int = 12080, no_driver: str = "") -> None:
        self.cards = cards
        self.cuda = cuda
        self.no_driver = no_driver
        self.opened = 0
        self.before_answer: Callable[[], object] = lambda: None

    def nvmlInit(self) -> None:
        self.before_answer()
        if self.no_driver:
            raise Refused(self.no_driver)
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self.opened -= 1

    def nvmlSystemGetDriverVersion(self) -> str:
        return "570.86.15"

    def nvmlSystemGetCudaDriverVersion_v2(self) -> int:
        return self.cuda

    def nvmlDeviceGetCount(self) -> int:
        return len(self.cards)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeCard:
        return self._of(self.cards[index], "handle", self.cards[index])

    def nvmlDeviceGetName(self, card: FakeCard) -> str:
        return self._of(card, "name", card.name)

    def nvmlDeviceGetCudaComputeCapability(self, card: FakeCard) -> tuple[int, int]:
        return self._of(card, "capability", card.capability)

    def nvmlDeviceGetMemoryInfo(self, card: FakeCard) -> Any:
        return self._of(card, "memory", SimpleNamespace(total=card.total, used=card.used))

    def nvmlDeviceGetUtilizationRates(self, card: FakeCard) -> Any:
        return self._of(card, "load", SimpleNamespace(gpu=97))

    def nvmlDeviceGetTemperature(self, card: FakeCard, sensor: int) -> int:
        assert sensor == self.NVML_TEMPERATURE_GPU
        return self._of(card, "temperature", 71)

    def nvmlDeviceGetPowerUsage(self, card: FakeCard) -> int:
        return self._of(card, "power", 312_500)

    def nvmlDeviceGetEnforcedPowerLimit(self, card: FakeCard) -> int:
        return self._of(card, "power", 450_000)

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, card: FakeCard) -> int:
        return self._of(card, "reasons", card.reasons)

    def nvmlDeviceGetComputeRunningProcesses(self, card: FakeCard) -> list[Any]:
        return self._of(card, "processes", card.processes)

    def nvmlDeviceGetGraphicsRunningProcesses(self, card: FakeCard) -> list[Any]:
        return self._of(card, "processes", card.processes)

    def _of(self, card: FakeCard, what: str, value: Any) -> Any:
        if error := card.broken.get(what) or card.broken.get("everything"):
            raise error
        return value
