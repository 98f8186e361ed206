from __future__ import annotations

import resource
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import DiskFullError
from engine.eventlog import EventLog, Record, decode, encode, read, read_all
from engine.events import Note, Paused


def write(path: Path, steps: range) -> None:
    log = EventLog(path)
    for step in steps:
        log.emit(Paused(step))
    log.close()


def steps(path: Path) -> list[int]:
    return [record.event.step for record in read_all(path) if isinstance(record.event, Paused)]


def test_sequence_numbers_go_on_when_a_log_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "run" / "events.jsonl"
    write(path, range(3))
    write(path, range(3, 5))
    assert [record.seq for record in read_all(path)] == [1, 2, 3, 4, 5]
    assert steps(path) == [0, 1, 2, 3, 4]


def test_times_come_from_the_clock(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.jsonl", clock=lambda: 1790000000.12345)
    log.emit(Paused(1))
    log.close()
    assert read_all(log.path)[0].t == 1790000000.123


def test_a_line_torn_at_any_byte_is_repaired_and_nothing_else_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    write(path, range(3))
    whole = path.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for cut in range(last, len(whole)):
        path.write_bytes(whole[:cut])
        assert steps(path) == [0, 1]
        write(path, range(9, 10))
        assert steps(path) == [0, 1, 9]
        assert [record.seq for record in read_all(path)] == [1, 2, 3]


def test_a_damaged_line_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    write(path, range(4))
    lines = path.read_bytes().splitlines(keepends=True)
    for damaged in (
        lines[1].replace(b'"step":1', b'"step":8'),
        lines[1][:20] + b"\n",
        b"\x00" * len(lines[1]) + b"\n",
        b"\n",
        b"\xff\xfe{}\n",
        b"[]\n",
    ):
        path.write_bytes(lines[0] + damaged + lines[2] + lines[3])
        assert steps(path) == [0, 2, 3]
    write(path, range(4, 5))
    assert read_all(path)[-1].seq == 5


def test_every_flipped_bit_is_seen() -> None:
    line = encode(Record(12, 1790000000.5, Note("code", "text")))
    for index in range(len(line) - 1):
        for bit in range(8):
            damaged = bytearray(line)
            damaged[index] ^= 1 << bit
            assert decode(bytes(damaged)) is None


@pytest.mark.parametrize("body", [b"{}", b'{"v":2,"seq":1,"t":1,"kind":"x"}', b'{"v":1,"seq":1}'])
def test_a_line_of_another_format_is_passed_over(body: bytes) -> None:
    crc = f"{zlib.crc32(body):08x}".encode()
    assert decode(body[:-1] + b',"crc":"' + crc + b'"}\n') is None


def test_a_reader_goes_on_where_it_was_while_the_log_grows(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    assert list(read(path)) == []
    log = EventLog(path)
    log.emit(Paused(1))
    (first, offset), *rest = read(path)
    assert first.seq == 1
    assert not rest
    log.emit(Paused(2))
    half = encode(Record(3, 1.0, Paused(3)))
    with path.open("ab") as other:
        other.write(half[:10])
        other.flush()
        ((second, offset),) = read(path, offset)
        assert second.seq == 2
        assert list(read(path, offset)) == []
        other.write(half[10:])
    ((third, _),) = read(path, offset)
    assert third.seq == 3
    log.close()


def test_a_reader_beside_a_writer_sees_every_event_once(tmp_path: Path) -> None:
    path, count = tmp_path / "e.jsonl", 400
    writer = threading.Thread(target=write, args=(path, range(count)))
    writer.start()
    seen: list[int] = []
    offset = 0
    while len(seen) < count:
        finished = not writer.is_alive()
        records = list(read(path, offset))
        seen += [record.seq for record, _ in records]
        offset = records[-1][1] if records else offset
        assert len(seen) == count or not finished
    writer.join()
    assert seen == list(range(1, count + 1))


def test_many_threads_share_one_log(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.jsonl")
    told: list[Record] = []
    log.subscribe(told.append)
    threads = [
        threading.Thread(target=lambda: [log.emit(Paused(n)) for n in range(25)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert [record.seq for record in read_all(log.path)] == list(range(1, 101))
    assert sorted(record.seq for record in told) == list(range(1, 101))


def test_subscribers_hear_what_is_already_written(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "e.jsonl")
    on_disk: list[bool] = []
    log.subscribe(lambda record: on_disk.append(read_all(log.path)[-1].seq == record.seq))
    log.emit(Paused(1))
    log.emit(Paused(2))
    log.close()
    assert on_disk == [True, True]


def test_a_full_disk_leaves_the_log_whole(tmp_path: Path, fork: Callable[..., Any]) -> None:
    path = tmp_path / "e.jsonl"
    write(path, range(2))
    size = path.stat().st_size

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, resource.RLIM_INFINITY))
        log = EventLog(path)
        with pytest.raises(DiskFullError, match=r"e\.jsonl"):
            log.emit(Paused(2))
        assert path.stat().st_size == size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 4096, resource.RLIM_INFINITY))
        log.emit(Paused(3))

    assert fork(fill).wait() == 0
    assert steps(path) == [0, 1, 3]
    assert read_all(path)[-1].seq == 3
