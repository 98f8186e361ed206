from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import files
from engine.errors import DiskFullError, InputError


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def limit_files_to(size: int) -> None:
    """Make this process's writes fail behind `size` bytes, as on a full disk. For children only."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_a_file_is_written_with_its_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.txt"
    files.write_text(path, "ü\n")
    assert path.read_bytes() == "ü\n".encode()
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert names(path.parent) == ["c.txt"]


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, "ü"]}, [], "x", {"lone": "\udcff"}])
def test_json_comes_back(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "x.json"
    files.write_json(path, value)
    path.read_text(encoding="utf-8")
    assert json.loads(path.read_bytes()) == value


@pytest.mark.parametrize("value", [float("nan"), {"a": object()}])
def test_what_json_cannot_hold_leaves_the_old_file(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "x.json"
    files.write_json(path, 1)
    with pytest.raises((ValueError, TypeError)):
        files.write_json(path, value)
    assert path.read_text() == "1\n"
    assert names(tmp_path) == ["x.json"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
@pytest.mark.parametrize("old", [b"old", None])
def test_a_writer_that_fails_half_way_changes_nothing(
    tmp_path: Path, error: type[BaseException], old: bytes | None
) -> None:
    path = tmp_path / "x.bin"
    if old is not None:
        path.write_bytes(old)
    before = names(tmp_path)

    def into_handle() -> None:
        with files.atomic_file(path) as handle:
            handle.write(b"half")
            raise error

    def into_path() -> None:
        with files.atomic_path(path) as temporary:
            temporary.write_bytes(b"half")
            raise error

    for write in (into_handle, into_path):
        with pytest.raises(error):
            write()
    with pytest.raises(FileNotFoundError), files.atomic_path(path):
        pass  # a writer that wrote nothing
    assert names(tmp_path) == before
    if old is not None:
        assert path.read_bytes() == old


def test_a_full_disk_is_told_and_changes_nothing(tmp_path: Path, fork: Callable[..., Any]) -> None:
    path = tmp_path / "x.bin"
    path.write_bytes(b"old")

    def folder() -> None:
        with files.atomic_dir(tmp_path / "x.bin.d") as folder:
            (folder / "small").write_bytes(b"fits")
            (folder / "large").write_bytes(b"n" * 2000)

    def fill() -> None:
        limit_files_to(1000)
        for write in (
            lambda: files.write_bytes(path, b"n" * 2000),
            lambda: files.write_json(path, "n" * 2000),
            lambda: files.copy_file(Path(files.__file__), path),
            folder,
        ):
            with pytest.raises(DiskFullError, match=r"x\.bin.*free some space"):
                write()
            assert path.read_bytes() == b"old"
            assert names(tmp_path) == ["x.bin"]

    assert fork(fill).wait() == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_every_error_of_a_full_disk_is_known(tmp_path: Path, number: int) -> None:
    with pytest.raises(DiskFullError), files.disk_errors(tmp_path):
        raise OSError(number, os.strerror(number))


def test_other_errors_of_the_system_stay_themselves(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        files.write_bytes(tmp_path / "file" / "x", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        files.write_bytes(tmp_path / "folder", b"")
    assert names(tmp_path) == ["file", "folder"]


def test_a_device_without_space_is_told() -> None:
    device = Path("/dev/full")
    with pytest.raises(DiskFullError, match="/dev/full"), files.disk_errors(device):
        device.write_bytes(b"x")


def test_an_append_that_does_not_fit_is_taken_back(
    tmp_path: Path, fork: Callable[..., Any]
) -> None:
    path = tmp_path / "log"

    def fill() -> None:
        limit_files_to(100)
        log = files.Appender(path)
        log.append(b"a" * 90, durable=True)
        with pytest.raises(DiskFullError, match="log"):
            log.append(b"b" * 20, durable=True)
        log.append(b"c" * 10, durable=False)
        log.close()

    assert fork(fill).wait() == 0
    assert path.read_bytes() == b"a" * 90 + b"c" * 10


def test_appenders_add_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "log"
    for piece in (b"one", b"two"):
        log = files.Appender(path)
        log.append(piece, durable=False)
        log.close()
        log.close()
    assert path.read_bytes() == b"onetwo"


def test_a_copy_is_the_same(tmp_path: Path) -> None:
    data = random.Random(1).randbytes(100_000)
    (tmp_path / "a").write_bytes(data)
    files.copy_file(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == data


def test_a_folder_appears_whole_under_its_name(tmp_path: Path) -> None:
    final = tmp_path / "checkpoints" / "step-1"
    with files.atomic_dir(final) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "a").write_bytes(b"1")
        assert not final.exists()
    assert (final / "deep" / "a").read_bytes() == b"1"
    assert names(final.parent) == ["step-1"]


def test_a_folder_that_fails_leaves_nothing(tmp_path: Path) -> None:
    final = tmp_path / "step-1"

    def write() -> None:
        with files.atomic_dir(final) as folder:
            (folder / "a").write_bytes(b"1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert names(tmp_path) == []


def test_a_folder_never_replaces_another(tmp_path: Path) -> None:
    final = tmp_path / "step-1"
    final.mkdir()
    (final / "old").touch()
    with pytest.raises(OSError, match="not empty"), files.atomic_dir(final) as folder:
        (folder / "new").touch()
    assert names(tmp_path) == ["step-1"]
    assert names(final) == ["old"]


def test_a_replacement_takes_the_place_of_the_old_folder_or_leaves_it(tmp_path: Path) -> None:
    final = tmp_path / "voice"
    final.mkdir()
    (final / "old").touch()
    with pytest.raises(RuntimeError), files.atomic_dir(final, replace=True):
        raise RuntimeError
    assert names(final) == ["old"]
    with files.atomic_dir(final, replace=True) as folder:
        (folder / "new").touch()
    assert names(final) == ["new"]
    assert names(tmp_path) == ["voice"]


def test_a_removed_folder_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "step-1"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a").touch()
    files.remove_dir(folder)
    files.remove_dir(folder)
    assert names(tmp_path) == []


def test_a_sweep_takes_only_what_killed_writers_left(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    room = tmp_path / "room"
    room.mkdir()
    (room / ".tmp-1").mkdir()
    (room / ".tmp-1" / "half").touch()
    (room / ".tmp-2").touch()
    (room / ".tmp-3").symlink_to(outside)
    (room / ".trash-1").mkdir()
    (room / "step-1").mkdir()
    (room / "tmp-not").touch()
    files.sweep(room)
    files.sweep(room / "missing")
    assert names(room) == ["step-1", "tmp-not"]
    assert names(outside) == ["kept"]


def test_space_is_asked_for_before_a_large_write(tmp_path: Path) -> None:
    files.require_space(tmp_path / "not" / "yet", 1, "The checkpoint")
    with pytest.raises(DiskFullError, match="The checkpoint needs 1,000,000,000,000 MB") as caught:
        files.require_space(tmp_path / "not" / "yet", 10**18, "The checkpoint")
    assert str(tmp_path) in str(caught.value)


def test_a_hash_is_that_of_the_file_and_counts_every_byte(tmp_path: Path) -> None:
    data = random.Random(2).randbytes((1 << 24) + 17)
    (tmp_path / "x").write_bytes(data)
    pieces: list[int] = []
    assert files.sha256_file(tmp_path / "x", pieces.append) == hashlib.sha256(data).hexdigest()
    assert sum(pieces) == len(data)
    assert len(pieces) > 1


@pytest.mark.parametrize(
    "name", ["a.wav", "a/b.wav", "./a.wav", "a b/ü…|'.wav", "..a", "a..b", "-x"]
)
def test_harmless_names_are_joined(tmp_path: Path, name: str) -> None:
    assert files.safe_join(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "./",
        "..",
        "../x",
        "a/../../x",
        "a/..",
        "/etc/passwd",
        "//host/share",
        "C:\\x",
        "C:x",
        "\\x",
        "\\\\host\\share\\x",
        "..\\x",
        "a\\..\\..\\x",
        "a\x00b",
        "link/x",
        "link",
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="does not lead to a place inside"):
        files.safe_join(root, name)


def test_a_refused_name_cannot_act_on_the_terminal(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        files.safe_join(tmp_path, "../\x1b[2J")
    assert "\x1b" not in str(caught.value)


def test_kill_9_never_leaves_half_a_file(tmp_path: Path, fork: Callable[..., Any]) -> None:
    path = tmp_path / "state.json"
    pauses = random.Random(3)
    seen = -1
    for _ in range(20):
        reader, writer = os.pipe()

        def rewrite(start: int = seen + 1, writer: int = writer) -> None:
            for number in range(start, start + 1_000_000):
                files.write_json(path, {"number": number, "filling": [number] * 20_000})
                os.write(writer, number.to_bytes(8))

        child = fork(rewrite)
        os.close(writer)
        acknowledged = int.from_bytes(os.read(reader, 8))
        time.sleep(pauses.uniform(0, 0.03))  # the random moment, not a wait for something
        child.kill()
        while number := os.read(reader, 8):
            acknowledged = int.from_bytes(number)
        os.close(reader)
        state = json.loads(path.read_bytes())
        assert state["filling"] == [state["number"]] * 20_000
        assert state["number"] >= acknowledged > seen
        seen = state["number"]
    files.sweep(tmp_path)
    assert names(tmp_path) == ["state.json"]
