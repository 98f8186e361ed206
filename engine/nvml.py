"""NVIDIA cards as the driver's management library (NVML) tells of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import psutil

from engine.text import clean

T = TypeVar("T")

# nvml.h, nvmlClocksEventReasons: why a card runs slower than it could. Being idle, and clocks that
# a person has set, are no such reasons.
_SLOWED = {
    0x04: "power limit",
    0x08: "hardware slowdown",
    0x20: "heat",
    0x40: "heat",
    0x80: "power brake",
}
# From this compute capability on (Ampere) cards compute in bf16.
_BF16_CAPABILITY = (8, 0)
# The machine's own process namespace (PROC_PID_INIT_INO in the kernel's proc_ns.h). In any other
# one, the process numbers that the driver tells are not those that we see.
_MACHINES_NAMESPACE = "pid:[4026531836]"


class Nvml(Protocol):
    """The part of pynvml that is used, named as NVIDIA names it."""

    NVMLError: type[Exception]
    NVMLError_GpuIsLost: type[Exception]
    NVML_TEMPERATURE_GPU: int

    def nvmlInit(self) -> None: ...
    def nvmlShutdown(self) -> None: ...
    def nvmlSystemGetDriverVersion(self) -> str: ...
    def nvmlSystemGetCudaDriverVersion_v2(self) -> int: ...
    def nvmlDeviceGetCount(self) -> int: ...
    def nvmlDeviceGetHandleByIndex(self, index: int) -> Any: ...
    def nvmlDeviceGetName(self, handle: Any) -> str: ...
    def nvmlDeviceGetCudaComputeCapability(self, handle: Any) -> tuple[int, int]: ...
    def nvmlDeviceGetMemoryInfo(self, handle: Any) -> Any: ...
    def nvmlDeviceGetUtilizationRates(self, handle: Any) -> Any: ...
    def nvmlDeviceGetTemperature(self, handle: Any, sensor: int) -> int: ...
    def nvmlDeviceGetPowerUsage(self, handle: Any) -> int: ...
    def nvmlDeviceGetEnforcedPowerLimit(self, handle: Any) -> int: ...
    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Any) -> int: ...
    def nvmlDeviceGetComputeRunningProcesses(self, handle: Any) -> list[Any]: ...
    def nvmlDeviceGetGraphicsRunningProcesses(self, handle: Any) -> list[Any]: ...


@dataclass(frozen=True)
class Gpu:
    """A card. What it does not report is None.

    `load` in percent, memory in bytes, `temperature` in degrees Celsius, power in watts. `slowed`
    says in words why it runs below its clock. `others_memory` is what other processes hold (not
    known inside most containers). `has_bf16` says whether it computes in bf16. A `lost` card no
    longer answers.
    """

    index: int
    name: str
    load: int | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    temperature: int | None = None
    power: float | None = None
    power_limit: float | None = None
    slowed: tuple[str, ...] = ()
    others_memory: int | None = None
    has_bf16: bool | None = None
    lost: bool = False

    @property
    def memory_free(self) -> int | None:
        if self.memory_total is None or self.memory_used is None:
            return None
        return max(0, self.memory_total - self.memory_used)


@dataclass(frozen=True)
class _Card:
    index: int
    name: str
    has_bf16: bool | None
    handle: Any


class Cards:
    """The cards of this machine; `open` once, then `read` as often as wanted, in any thread.

    `absent` says why there are none, else it is "". `driver` and `cuda` are versions, like
    "570.86.15" and (12, 8); "" and None without a driver.
    """

    def __init__(self, nvml: Nvml | None = None) -> None:
        self._nvml = nvml
        self._cards: list[_Card] = []
        self._is_open = False
        self._sees_machine = _sees_machine()
        self.absent = "the cards were not asked for yet"
        self.driver = ""
        self.cuda: tuple[int, int] | None = None

    def open(self) -> None:
        """Start the library. Never raises for a missing driver; see `absent`."""
        if self._nvml is None:
            import pynvml

            self._nvml = pynvml
        nvml = self._nvml
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            self.absent = f"no NVIDIA driver answers ({clean(str(error))})"
            return
        self._is_open = True
        self.driver = clean(self._ask(nvml.nvmlSystemGetDriverVersion) or "")
        if version := self._ask(nvml.nvmlSystemGetCudaDriverVersion_v2):
            self.cuda = (version // 1000, version % 1000 // 10)
        count = self._ask(nvml.nvmlDeviceGetCount) or 0
        self._cards = [self._card(index) for index in range(count)]
        self.absent = "" if count else "the NVIDIA driver sees no card"

    def close(self) -> None:
        """Give the library back."""
        if self._nvml is not None and self._is_open:
            self._ask(self._nvml.nvmlShutdown)
        self._is_open = False
        self._cards = []

    def read(self) -> tuple[Gpu, ...]:
        """All cards now."""
        return tuple(self._read(card) for card in self._cards)

    def _ask(self, call: Callable[[], T]) -> T | None:
        """What the driver answers, None when it does not say."""
        assert self._nvml is not None
        try:
            return call()
        except self._nvml.NVMLError:
            return None

    def _card(self, index: int) -> _Card:
        nvml = self._nvml
        assert nvml is not None
        handle = self._ask(lambda: nvml.nvmlDeviceGetHandleByIndex(index))
        if handle is None:
            return _Card(index, f"GPU {index}", None, None)
        name = self._ask(lambda: nvml.nvmlDeviceGetName(handle)) or f"GPU {index}"
        capability = self._ask(lambda: nvml.nvmlDeviceGetCudaComputeCapability(handle))
        has_bf16 = None if capability is None else tuple(capability) >= _BF16_CAPABILITY
        return _Card(index, clean(name), has_bf16, handle)

    def _read(self, card: _Card) -> Gpu:
        nvml, handle = self._nvml, card.handle
        assert nvml is not None
        if handle is None:
            return Gpu(card.index, card.name, lost=True)
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        except nvml.NVMLError_GpuIsLost:
            return Gpu(card.index, card.name, lost=True)
        except nvml.NVMLError:
            memory = None
        load = self._ask(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        sensor = nvml.NVML_TEMPERATURE_GPU
        reasons = self._ask(lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)) or 0
        return Gpu(
            card.index,
            card.name,
            load=None if load is None else int(load.gpu),
            memory_used=None if memory is None else int(memory.used),
            memory_total=None if memory is None else int(memory.total),
            temperature=self._ask(lambda: nvml.nvmlDeviceGetTemperature(handle, sensor)),
            power=_watts(self._ask(lambda: nvml.nvmlDeviceGetPowerUsage(handle))),
            power_limit=_watts(self._ask(lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle))),
            slowed=tuple(dict.fromkeys(text for bit, text in _SLOWED.items() if reasons & bit)),
            others_memory=self._others_memory(handle) if self._sees_machine else None,
            has_bf16=card.has_bf16,
        )

    def _others_memory(self, handle: Any) -> int | None:
        """Bytes that processes other than this one and its children hold on a card."""
        nvml = self._nvml
        assert nvml is not None
        computing = self._ask(lambda: nvml.nvmlDeviceGetComputeRunningProcesses(handle))
        if computing is None:
            return None
        drawing = self._ask(lambda: nvml.nvmlDeviceGetGraphicsRunningProcesses(handle)) or []
        # A process can be in both lists, with the same memory.
        held = {process.pid: process.usedGpuMemory for process in (*computing, *drawing)}
        foreign = [size for pid, size in held.items() if not _is_ours(pid)]
        return None if None in foreign else sum(size for size in foreign if size)


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / 1000


def _is_ours(pid: int) -> bool:
    try:
        return pid == os.getpid() or psutil.Process(pid).ppid() == os.getpid()
    except psutil.Error:
        return False


def _sees_machine() -> bool:
    """Whether process numbers here are those of the machine, which the driver tells."""
    try:
        return os.readlink("/proc/self/ns/pid") == _MACHINES_NAMESPACE
    except OSError:
        return False
