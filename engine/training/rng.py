"""The random states of a process, as data."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def device_states() -> dict[str, torch.Tensor]:
    """The states of torch's generators on the host and on every GPU in use."""
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        for index, state in enumerate(torch.cuda.get_rng_state_all()):
            states[f"cuda.{index}"] = state
    return states


def set_device_states(states: Mapping[str, torch.Tensor]) -> None:
    torch.set_rng_state(states["cpu"])
    for name, state in states.items():
        device, _, index = name.partition(".")
        if (
            device == "cuda"
            and torch.cuda.is_available()
            and int(index) < torch.cuda.device_count()
        ):
            torch.cuda.set_rng_state(state, int(index))


def host_states() -> dict[str, Any]:
    """The states of Python's and NumPy's generators, as JSON can hold them."""
    version, numbers, gauss = random.getstate()
    name, keys, place, has_gauss, cached = np.random.get_state(legacy=True)
    return {
        "python": [version, list(numbers), gauss],
        "numpy": [name, np.asarray(keys).tolist(), int(place), int(has_gauss), float(cached)],
    }


def set_host_states(states: Mapping[str, Any]) -> None:
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(numbers), gauss))
    name, keys, place, has_gauss, cached = states["numpy"]
    np.random.set_state((name, np.asarray(keys, np.uint32), place, has_gauss, cached))


def seed_all(seed: int) -> None:
    """Start every generator from one number."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
