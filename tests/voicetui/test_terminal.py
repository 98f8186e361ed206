"""The printer between jobs and a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import sys
import termios
import time
from collections.abc import Iterator

import pytest
from helpers_jobs import step
from helpers_terminal import Child, wait_until

from engine.eventlog import Record
from voicetui import terminal
from voicetui.terminal import ERR, OUT, Terminal

LINES = 2000
PATIENCE_SECONDS = 0.05


def nothing(_record: Record) -> Iterator[tuple[int, bytes]]:
    return iter(())


def much() -> int:
    """In a child: print far more than any pipe or terminal holds, with little patience."""
    terminal.PATIENCE_SECONDS = PATIENCE_SECONDS
    printer = Terminal(nothing)
    with printer.open():
        for number in range(LINES):
            printer.write(OUT, f"{number:0100d}")
    print("after", flush=True)
    return 0


def held(descriptor: int) -> int:
    """How many bytes wait to be read."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, b"\0" * 4), sys.byteorder)


def test_the_reader_of_a_pipe_may_take_its_time() -> None:
    out, end = os.pipe()
    child = Child(much, (end, end, end))
    os.close(end)
    wait_until(lambda: held(out) >= 60_000, "a full pipe")
    full = time.monotonic()
    wait_until(lambda: child.poll() is not None or time.monotonic() > full + 0.5, "its patience")
    assert child.poll() is None
    with open(out, "rb") as pipe:
        lines = pipe.read().splitlines()
    assert [int(line) for line in lines[:-1]] == list(range(LINES))
    assert lines[-1] == b"after"
    assert child.wait() == 0


def test_a_terminal_that_takes_nothing_is_left_behind() -> None:
    master, slave = pty.openpty()
    child = Child(much, (slave, slave, slave))
    os.close(slave)
    assert child.wait() == 0
    assert b"after" not in os.read(master, 1 << 20)
    os.close(master)


def test_texts_and_records_keep_their_order_and_streams(
    capfd: pytest.CaptureFixture[str],
) -> None:
    printer = Terminal(lambda record: [(OUT, b"record %d\n" % record.seq), (ERR, b"told\n")])
    with printer.open():
        printer.write(OUT, "first")
        printer.put(Record(7, 0.0, step(1)))
        printer.write(ERR, "last")
    assert capfd.readouterr() == ("first\nrecord 7\n", "told\nlast\n")


def test_what_libraries_print_goes_elsewhere(
    tmp_path: pytest.TempPathFactory, capfd: pytest.CaptureFixture[str]
) -> None:
    strays = tmp_path / "output.log"  # type: ignore[operator]
    with Terminal(nothing).open():
        os.write(1, b"before\n")
    printer = Terminal(nothing)
    with printer.open(), printer.strays_in(strays):
        os.write(1, b"to stdout\n")
        os.write(2, b"to stderr\n")
    print("after", flush=True)
    assert strays.read_text() == "to stdout\nto stderr\n"
    assert capfd.readouterr() == ("after\n", "")


def test_a_line_that_cannot_be_made_is_the_runners_to_raise(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail(_record: Record) -> Iterator[tuple[int, bytes]]:
        raise ValueError("no such line")

    printer = Terminal(fail)
    with printer.open():
        printer.put(Record(1, 0.0, step(1)))
        printer.write(OUT, "not shown")
    assert isinstance(printer.failure, ValueError)
    assert capfd.readouterr() == ("", "")


def test_only_what_is_of_the_moment_is_left_out_of_a_crowd(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(terminal, "_CROWD", 3)
    shown = {}
    for lossless in (False, True):
        printer = Terminal(lambda record: [(OUT, b"%d " % record.seq)], lossless=lossless)
        for number in range(10):  # before anybody prints, so that all of them wait
            printer.put(Record(number, 0.0, step(number)))
        with printer.open():
            pass
        shown[lossless] = capfd.readouterr().out.split()
    assert shown == {False: list("0123"), True: list("0123456789")}
