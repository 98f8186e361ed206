"""A tiny base and the features of a made dataset, built once for all tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers_xtts import made_features


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home for what outlives a single test."""
    folder = tmp_path_factory.mktemp("shared-home")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DATA", "CONFIG", "STATE", "CACHE"):
            patch.setenv(f"XDG_{name}_HOME", str(folder / name.lower()))
        yield folder


@pytest.fixture(scope="session")
def one_thread() -> None:
    """Keep torch on one thread: children that tests fork could not use the threads of their parent."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory, one_thread: None) -> Path:
    """A random XTTS base of 0.6 million parameters, in the published layout."""
    from engine.xtts import random_base

    folder = tmp_path_factory.mktemp("base") / "tiny"
    random_base.make(folder)
    return folder


@pytest.fixture(scope="session")
def toy_features(
    tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, shared_home: Path
) -> Any:
    """The features of 11 train clips and 2 held-out ones."""
    return made_features(tmp_path_factory.mktemp("toy"), tiny_base, train=11, held_out=2)
