"""What the doctor says of disks, limits and models."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers_jobs import make_project

from engine import hardware, places
from engine.checks import machine, models
from engine.checks.finding import Finding, Surroundings, TerminalFacts
from engine.hub import never_stop
from engine.training import memory
from engine.xtts import base

GB = 1_000_000_000


def around(folder: Path | None = None) -> Surroundings:
    return Surroundings(folder, TerminalFacts(is_tty=False), {}, never_stop)


def disks(folder: Path | None, free: int, patch: pytest.MonkeyPatch) -> dict[str, Finding]:
    patch.setattr(hardware, "disk", lambda _: hardware.Disk(free, 500 * GB))
    return {found.name: found for found in machine.disks(around(folder))}


@pytest.mark.parametrize(("free", "level"), [(100, "ok"), (10, "warning"), (5, "failure")])
def test_room_for_checkpoints(
    free: int, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = disks(tmp_path, free * GB, monkeypatch)["project"]
    assert found.level == level
    assert bool(found.remedy) is (level != "ok")
    if level != "ok":
        assert "5.3 GB" in found.seen


def test_how_many_checkpoints_the_project_keeps_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project(tmp_path / "voice")
    with (folder / "project.toml").open("a") as handle:
        handle.write("\n[training]\nkeep_checkpoints = 9\n")
    # Enough for the default of two, not for nine.
    room = 5 * memory.CHECKPOINT_BYTES
    assert disks(tmp_path / "new", room, monkeypatch)["project"].level == "ok"
    found = disks(folder, room, monkeypatch)["project"]
    assert found.level == "warning"
    assert "up to 11" in found.seen
    (folder / "project.toml").write_text("[")
    assert disks(folder, room, monkeypatch)["project"].level == "failure"


def test_room_for_models_counts_until_they_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    found = disks(None, 2 * GB, monkeypatch)
    assert "project" not in found
    assert (found["models"].level, found["cache"].level) == ("warning", "ok")
    assert "XDG_DATA_HOME" in found["models"].remedy
    folder = places.models_dir("xtts") / "mine"
    folder.mkdir(parents=True)
    (folder / "model.pth").touch()
    assert disks(None, 2 * GB, monkeypatch)["models"].level == "ok"


def test_the_real_disk_and_shared_memory(tmp_path: Path) -> None:
    names = [found.name for found in machine.disks(around(tmp_path / "to be made"))]
    assert names == ["project", "models", "cache"]
    [shared] = machine.shared_memory(around())
    assert (shared.level == "ok") is (not shared.remedy)


@pytest.mark.parametrize(("place", "level"), [("not/there", "warning"), (".", "ok")])
def test_shared_memory(
    place: str, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_SHARED", tmp_path / place)
    [found] = machine.shared_memory(around())
    assert found.level == level


@contextlib.contextmanager
def open_files(count: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_open_files() -> None:
    with open_files(1000):
        [few] = machine.open_files(around())
    assert few.level == "warning"
    assert "ulimit -n 1024" in few.remedy
    with open_files(1024):
        [enough] = machine.open_files(around())
    assert enough.level == "ok"


def test_bases_that_are_here_broken_or_missing() -> None:
    [none] = models.bases(around())
    assert (none.level, "voicetui fetch xtts-v2.0.3" in none.remedy) == ("warning", True)
    newest, older = list(base.known())[:2]
    for name in (newest, older):
        folder = places.models_dir(base.FAMILY) / name
        folder.mkdir(parents=True)
        for file in base.FILES:
            (folder / file).touch()
    (places.models_dir(base.FAMILY) / older / "dvae.pth").unlink()
    broken, whole = models.bases(around())
    assert (broken.level, whole.level, whole.seen) == ("failure", "ok", newest)
    assert "dvae.pth" in broken.seen
    assert f"voicetui fetch {older}" in broken.remedy


def test_speech_models_and_places(home: Path) -> None:
    [found] = models.recognisers(around())
    assert "tiny.en" in found.seen
    assert {one.name: one.seen for one in models.folders(around())} == {
        "models in": str(home / "data" / "voicetui" / "models"),
        "settings in": str(home / "config" / "voicetui"),
        "state in": str(home / "state" / "voicetui"),
        "cache in": str(home / "cache" / "voicetui"),
    }
