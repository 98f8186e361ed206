"""Reading weights without a process for each file, for tests that are about other things."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.files import sha256_file
from engine.hub import Check
from engine.pretrains import reader, reading
from engine.pretrains.facts import Facts


@pytest.fixture(scope="session")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, Path | None], Facts]:
    """Reads files in this process, and each content once."""
    root = tmp_path_factory.mktemp("plain")
    known: dict[str, Facts] = {}

    def read(path: Path, target: Path | None) -> Facts:
        key = sha256_file(path)
        if key not in known:
            known[key] = reading.read(path, root / key)
        if target is not None:
            shutil.copyfile(root / key, target)
        return known[key]

    return read


@pytest.fixture
def near(monkeypatch: pytest.MonkeyPatch, read_once: Callable[[Path, Path | None], Facts]) -> None:
    def ask(path: Path, target: Path | None, _check: Check) -> Facts:
        return read_once(path, target)

    monkeypatch.setattr(reader, "_ask", ask)
