from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine import lock
from engine.errors import BusyError


@pytest.fixture
def busy(tmp_path: Path, fork: Callable[..., Any]) -> Any:
    """A child that holds the project in `tmp_path` until it is killed."""
    reader, writer = os.pipe()

    def occupy() -> None:
        with lock.hold(tmp_path, "train\x1b[2J"):
            os.write(writer, b"held")
            threading.Event().wait()

    child = fork(occupy)
    os.close(writer)
    assert os.read(reader, 4) == b"held"
    os.close(reader)
    return child


def test_nobody_holds_a_new_project(tmp_path: Path) -> None:
    assert lock.holder(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_project_held_elsewhere_is_refused_by_name(tmp_path: Path, busy: Any) -> None:
    with pytest.raises(BusyError) as caught, lock.hold(tmp_path, "prepare"):
        pass
    message = str(caught.value)
    assert f"process {busy.pid}" in message
    assert "train" in message
    assert "\x1b" not in message
    assert "voicetui stop" in message


def test_the_holder_is_told_from_a_process_that_reused_its_pid(tmp_path: Path, busy: Any) -> None:
    owner = lock.holder(tmp_path)
    assert owner is not None
    assert owner.pid == busy.pid
    assert owner.started == psutil.Process(busy.pid).create_time()
    assert owner.boot_id


def test_kill_9_frees_the_project(tmp_path: Path, busy: Any) -> None:
    busy.kill()
    assert lock.holder(tmp_path) is None
    with lock.hold(tmp_path, "prepare"):
        owner = lock.holder(tmp_path)
        assert owner is not None
        assert owner.pid == os.getpid()
    assert lock.holder(tmp_path) is None


def test_one_process_cannot_hold_a_project_twice(tmp_path: Path) -> None:
    with lock.hold(tmp_path, "train"), pytest.raises(BusyError), lock.hold(tmp_path, "export"):
        pass


def test_an_error_in_the_work_frees_the_project(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), lock.hold(tmp_path, "train"):
        raise RuntimeError
    assert lock.holder(tmp_path) is None


@pytest.mark.parametrize("record", [b"", b"\xff\xfe", b"[1]", b'{"pid": 1}', b"null"])
def test_a_damaged_record_does_not_hide_that_somebody_holds_it(
    tmp_path: Path, busy: Any, record: bytes
) -> None:
    (tmp_path / lock.OWNER_NAME).write_bytes(record)
    with pytest.raises(BusyError, match="another process"), lock.hold(tmp_path, "train"):
        pass
    owner = lock.holder(tmp_path)
    assert owner is not None
    assert "unknown" in owner.describe()


def test_the_record_is_plain_json(tmp_path: Path) -> None:
    with lock.hold(tmp_path, "train"):
        record = json.loads((tmp_path / lock.OWNER_NAME).read_bytes())
    assert record["pid"] == os.getpid()
    assert record["job"] == "train"


def test_asking_who_holds_it_never_gets_in_a_writers_way(
    tmp_path: Path, fork: Callable[..., Any]
) -> None:
    with lock.hold(tmp_path, "first"):
        pass
    reader, writer = os.pipe()

    def ask() -> None:
        os.write(writer, b"asks")
        while True:
            lock.holder(tmp_path)

    fork(ask)
    os.close(writer)
    assert os.read(reader, 4) == b"asks"
    os.close(reader)
    for _ in range(100):
        with lock.hold(tmp_path, "train"):
            pass
