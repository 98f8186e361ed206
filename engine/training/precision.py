"""Where training runs and in which number format."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import psutil
import torch

from engine.errors import SettingError
from engine.events import Device
from engine.hardware import memory


@dataclass(frozen=True)
class Place:
    """A device and the precision of the forward pass; weights and optimiser stay fp32."""

    device: torch.device
    precision: str

    def autocast(self) -> contextlib.AbstractContextManager[Any]:
        """The context in which the forward pass runs."""
        if self.precision == "bf16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return contextlib.nullcontext()

    def memory_used(self) -> float:
        """Bytes: the most that torch reserved of the GPU since the last call, or on CPU what the
        process has in memory now. It does not wait for the GPU.
        """
        if self.device.type != "cuda":
            return float(psutil.Process().memory_info().rss)
        reserved = torch.cuda.max_memory_reserved(self.device)
        torch.cuda.reset_peak_memory_stats(self.device)
        return float(reserved)

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
        threads = torch.get_num_threads()
        if self.device.type == "cuda":
            free, total = torch.cuda.mem_get_info(self.device)
            name = torch.cuda.get_device_name(self.device)
            cuda = torch.version.cuda or ""
            return Device("cuda", name, total, free, cuda, self.precision, threads)
        ram = memory()
        return Device(
            "cpu", "CPU", ram.total, ram.available, precision=self.precision, threads=threads
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
    has_bf16 = chosen.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    if precision == "bf16" and chosen.type == "cuda" and not has_bf16:
        raise SettingError(
            f"training.precision is bf16, which {torch.cuda.get_device_name(chosen)} lacks. "
            "Set training.precision=fp32 or auto."
        )
    if precision == "auto":
        precision = "bf16" if has_bf16 else "fp32"
    return Place(chosen, precision)
