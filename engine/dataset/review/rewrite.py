"""The tables of a reviewed dataset, written behind a person's back."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

from engine.dataset import accounting, clips, summary, tables
from engine.dataset.review.rows import Row, Table
from engine.files import atomic_file


def write(folder: Path, table: Table, rows: Sequence[Row]) -> tuple[Table, array[int]]:
    """Write all tables; the new one, open, and where in it each row is. Raises DiskFullError.

    Lines that no edit has changed are copied as they are.
    """
    recordings = accounting.accounted(accounting.read(folder), rows)
    totals = summary.read(folder) | summary.of_clips(rows)
    if recordings:
        totals |= accounting.totals(recordings)
    tables.write_others(folder, rows, recordings, totals)
    offsets = array("q")
    at = 0
    with atomic_file(folder / clips.FILE_NAME) as handle:
        for row in rows:
            line = table.encode(row)
            offsets.append(at)
            at += handle.write(line)
    return Table(folder), offsets


class Background:
    """Calls `work` in a thread of its own, once things have been quiet for a moment.

    `problem` is what went wrong the last time; it is tried again with the next `poke` and on
    `close`.
    """

    def __init__(self, work: Callable[[], None], quiet_seconds: float) -> None:
        self.problem: BaseException | None = None
        self._work = work
        self._quiet = quiet_seconds
        self._changed = threading.Condition()
        self._wanted = 0
        self._tried = 0
        self._closing = self._hurried = False
        self._thread: threading.Thread | None = None

    def poke(self) -> None:
        """Ask for the work to be done soon."""
        with self._changed:
            self._wanted += 1
            self._changed.notify_all()
            if self._thread is None:
                # A daemon: what it writes is derived, and a process that ends may leave it undone.
                self._thread = threading.Thread(
                    target=self._run, name="voicetui-tables", daemon=True
                )
                self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Do at once what was asked for, and wait until it was tried; False when that takes longer."""
        with self._changed:
            self._hurried = self._tried != self._wanted
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._tried == self._wanted, timeout)

    def close(self) -> None:
        """Do at once what is left, and end. Raises what went wrong."""
        with self._changed:
            again = self.problem is not None and self._tried == self._wanted
            self._wanted += again
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        if self.problem is not None:
            raise self.problem

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tried != self._wanted or self._closing)
                if self._tried == self._wanted:
                    return
                self._changed.wait_for(lambda: self._closing or self._hurried, self._quiet)
                wanted = self._wanted
            problem: BaseException | None = None
            try:
                self._work()
            except Exception as error:  # noqa: BLE001 - the thread's boundary; its owner is told
                problem = error
            with self._changed:
                self.problem = problem
                self._tried = wanted
                self._hurried = False
                self._changed.notify_all()
