from __future__ import annotations

import os
import resource
import signal
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hub_server
import pytest
from helpers_hub import LARGE, REPO, SMALL, get, only, sha
from hub_server import Hub

from engine.errors import (
    BusyError,
    DiskFullError,
    DownloadError,
    StopRequested,
)
from engine.fetching import partial
from engine.fetching.transfer import Policy


def test_a_stop_keeps_the_part(hub: Hub, tmp_path: Path, release: threading.Event) -> None:
    hub.fail("cdn", "GET", sha(LARGE), hub_server.drip(LARGE, 20_000, release))
    target = tmp_path / "model.pth"
    part = partial.path_of(target)

    def check() -> None:
        if part.exists() and part.stat().st_size > 200_000:
            raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        get(target, check=check)
    kept = part.stat().st_size
    assert 200_000 < kept < 500_000
    assert not target.exists()
    get(target)
    assert target.read_bytes() == LARGE
    assert hub.of("cdn")[-1].start == kept


def test_a_stop_ends_the_wait_for_another_attempt(hub: Hub, tmp_path: Path) -> None:
    hub.fail("hub", "HEAD", "model.pth", hub_server.status(503))

    def check() -> None:
        raise StopRequested("SIGTERM")

    with pytest.raises(StopRequested):
        get(tmp_path / "model.pth", check=check, policy=Policy(pause=600.0))


def test_a_killed_download_goes_on_where_it_was(
    hub: Hub, tmp_path: Path, fork: Callable[..., Any], release: threading.Event
) -> None:
    import httpx  # noqa: F401  (so that the child need not)
    import huggingface_hub  # noqa: F401

    sent = 2_800_000
    hub.fail("cdn", "GET", sha(LARGE), hub_server.hold(LARGE, sent, release))
    target = tmp_path / "model.pth"
    part = partial.path_of(target)
    reading, writing = os.pipe()

    def report() -> None:
        os.write(writing, struct.pack("q", part.stat().st_size if part.exists() else 0))

    child = fork(lambda: get(target, check=report))
    os.close(writing)
    while struct.unpack("q", os.read(reading, 8))[0] < sent:
        pass
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not target.exists()

    get(target)
    assert target.read_bytes() == LARGE
    assert hub.of("cdn")[-1].start >= 0.9 * sent
    assert only(target)
    os.close(reading)


def test_a_part_that_a_power_cut_tore_is_noticed(hub: Hub, tmp_path: Path) -> None:
    target = tmp_path / "model.pth"
    hub.fail("cdn", "GET", sha(LARGE), *[hub_server.cut(LARGE, 15_000)] * 3)
    with pytest.raises(DownloadError, match="kept"):
        get(target)
    part = partial.path_of(target)
    part.write_bytes(bytes(part.stat().st_size))
    get(target)
    assert target.read_bytes() == LARGE
    assert [asked.start > 0 for asked in hub.of("cdn")[-2:]] == [True, False]


def test_a_part_of_something_else_is_not_used(hub: Hub, tmp_path: Path) -> None:
    target = tmp_path / "model.pth"
    hub.fail("cdn", "GET", sha(LARGE), *[hub_server.cut(LARGE, 15_000)] * 3)
    with pytest.raises(DownloadError, match="kept"):
        get(target)
    other = LARGE[::-1]
    hub.put(REPO, {"model.pth": other})
    hub.asked.clear()
    get(target)
    assert target.read_bytes() == other
    assert [asked.start for asked in hub.of("cdn")] == [0]


def test_a_revision_that_moves_meanwhile_changes_nothing(hub: Hub, tmp_path: Path) -> None:
    commit = hub.commit(REPO, "main")

    def move_and_cut(handler: hub_server.Handler) -> None:
        hub.put(REPO, {"model.pth": LARGE[::-1], "config.json": SMALL[::-1]})
        hub_server.cut(SMALL, 10)(handler)

    hub.fail("hub", "GET", "config.json", move_and_cut)
    fetched = get(tmp_path / "config.json", "config.json")
    assert (tmp_path / "config.json").read_bytes() == SMALL
    assert fetched.commit == commit


def test_a_full_disk_is_told_and_the_part_kept(
    hub: Hub, tmp_path: Path, fork: Callable[..., Any]
) -> None:
    target = tmp_path / "model.pth"

    def with_a_small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        with pytest.raises(DiskFullError, match=r"model\.pth"):
            get(target)

    assert fork(with_a_small_disk).wait() == 0
    assert len(hub.of("cdn")) == 1
    get(target)
    assert target.read_bytes() == LARGE
    assert hub.of("cdn")[-1].start == 1_000_000


def test_room_is_asked_for_before_the_first_byte(hub: Hub, tmp_path: Path) -> None:
    huge = {"X-Linked-Size": str(10**17), "X-Linked-Etag": f'"{sha(LARGE)}"'}
    hub.fail("hub", "HEAD", "model.pth", lambda handler: handler.answer(200, huge))
    with pytest.raises(DiskFullError, match=r"model\.pth"):
        get(tmp_path / "model.pth")
    assert not hub.of("hub")


def test_one_writer_at_a_time(hub: Hub, tmp_path: Path) -> None:
    with partial.hold(tmp_path / "model.pth"), pytest.raises(BusyError):
        get(tmp_path / "model.pth")
