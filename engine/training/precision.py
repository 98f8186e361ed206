"""Where training runs and in which number format."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from engine.errors import SettingError
from engine.events import Device, Memory
from engine.hardware import memory

_HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}
# NVIDIA's compute capability of the first cards with TF32 (Ampere).
_TF32_SINCE = (8, 0)


@dataclass(frozen=True)
class Place:
    """A device and the precision of the forward pass; weights and optimiser stay fp32."""

    device: torch.device
    precision: str

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The context in which the forward pass runs."""
        if dtype := _HALVES.get(self.precision):
            return torch.autocast(self.device.type, dtype)
        return contextlib.nullcontext()

    @property
    def mixes(self) -> bool:
        """Whether the forward pass computes in a smaller format than that of the weights."""
        return self.precision in _HALVES

    @property
    def scales(self) -> bool:
        """Whether losses are scaled, for gradients that the format would round to zero."""
        return self.precision == "fp16"

    @contextlib.contextmanager
    def tuned(self) -> Iterator[None]:
        """The settings of torch that this precision needs; they are those of a whole process."""
        products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
        before = products.allow_tf32, convolutions.allow_tf32
        try:
            products.allow_tf32 = convolutions.allow_tf32 = self.precision == "tf32"
            yield
        finally:
            products.allow_tf32, convolutions.allow_tf32 = before

    def empty_cache(self) -> None:
        """Give back what torch keeps of the GPU and does not use."""
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def memory_used(self) -> float:
        """Bytes: the most that torch reserved of the GPU since the last call, or on CPU what the
        process has in memory now. It does not wait for the GPU.
        """
        if self.device.type != "cuda":
            return float(psutil.Process().memory_info().rss)
        reserved = torch.cuda.max_memory_reserved(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        return float(reserved)

    def peak_allocated(self) -> float | None:
        """Bytes: the most that tensors took of the GPU since `memory_used` was asked; None on CPU."""
        if self.device.type != "cuda":
            return None
        return float(torch.cuda.max_memory_allocated(self.device))

    def vram(self) -> tuple[int, int] | None:
        """Bytes that are free on the GPU, and all it has; None on CPU."""
        return torch.cuda.mem_get_info(self.device) if self.device.type == "cuda" else None

    def memory_now(self, stage: str) -> Memory:
        """The event of the memory that is in use at the end of a stage."""
        free, total = self.vram() or (0, 0)
        return Memory(stage, psutil.Process().memory_info().rss, total - free, free, total)

    def facts(self) -> dict[str, Any]:
        """What of the place decides the bits of a result; on CPU the threads and the CPU do too."""
        if self.device.type == "cuda":
            return {"name": torch.cuda.get_device_name(self.device), "precision": self.precision}
        return {
            "name": f"CPU with {torch.backends.cpu.get_cpu_capability()}",
            "precision": self.precision,
            "threads": torch.get_num_threads(),
        }

    def describe(self) -> Device:
        """The device event of this place."""
        vram, ram = self.vram(), memory()
        free, total = vram or (ram.available, ram.total)
        return Device(
            self.device.type,
            torch.cuda.get_device_name(self.device) if vram else "CPU",
            total,
            free,
            cuda=(torch.version.cuda or "") if vram else "",
            precision=self.precision,
            threads=torch.get_num_threads(),
            backend=f"torch {torch.__version__}",
            gpus=torch.cuda.device_count(),
            cpus=os.cpu_count() or 1,
            mixes=self.mixes,
        )


def choose(device: str, precision: str) -> Place:
    """The place for the settings `device` and `precision`. Raises SettingError when it is not there."""
    cuda = torch.cuda.is_available()
    if device == "cuda" and not cuda:
        raise SettingError(
            "training.device is cuda, but torch finds no usable NVIDIA GPU here. "
            "Check the driver with nvidia-smi, or set training.device=auto."
        )
    chosen = torch.device("cuda" if cuda and device != "cpu" else "cpu")
    known = _known(chosen)
    if precision == "auto":
        precision = "bf16" if chosen.type == "cuda" and "bf16" in known else "fp32"
    if precision not in known:
        name = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else "the CPU"
        raise SettingError(
            f"training.precision is {precision}, which {name} lacks. Set training.precision="
            f"auto, or one of {', '.join(known)}."
        )
    return Place(chosen, precision)


def _known(device: torch.device) -> tuple[str, ...]:
    """The number formats that a device computes with."""
    if device.type == "cpu":
        return "fp32", "bf16"
    has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    has_tf32 = torch.cuda.get_device_capability(device) >= _TF32_SINCE
    newer = [name for name, there in (("tf32", has_tf32), ("bf16", has_bf16)) if there]
    return "fp32", *newer, "fp16"
