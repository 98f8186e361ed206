"""The clips of a dataset while they are edited: rows in memory, the journal, and the tables.

An edit is in the journal, on the disk, before it shows; the tables are written in the background.
From its first edit until the tables are written the store holds the dataset (`edits.hold`), so that
two consoles never edit from different states; and it edits nothing that somebody else has changed.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from engine.dataset import edits
from engine.dataset.clips import Clip, from_row
from engine.dataset.edits import Form, Journal, Patch
from engine.dataset.review import rewrite
from engine.dataset.review.rows import Maker, Row, Table, in_order
from engine.dataset.review.scoring import Scorer
from engine.errors import InputError, RefusedError
from engine.text import clean

QUIET_SECONDS = 0.5
_ROWS_AT_ONCE = 500


class Store:
    """The clips of one dataset folder. Every method may be called from any thread.

    `clips` is in the order of recordings and time; it is replaced, never changed, where clips come
    or go. `changes` counts what was applied.
    """

    def __init__(self, folder: Path, most_tokens: int) -> None:
        """Raises DatasetError when there are no clips. `load` it before anything else."""
        self.folder = folder
        # First: what is written between these two shows in the journal.
        self.journal = Journal(folder)
        self.clips: list[Row] = []
        self.changes = 0
        self.mutex = threading.RLock()
        self._table = Table(folder)
        self._maker = Maker()
        self._most_tokens = most_tokens
        self._places: dict[str, int] = {}
        self._ranks: dict[str, int] = {}
        self._scorer = Scorer((), most_tokens)
        self._held = ExitStack()
        self._holds = False
        self._leases = 0
        self._written = 0
        self._background = rewrite.Background(self._rewrite, QUIET_SECONDS)

    def load(self) -> Generator[tuple[int, int], None, None]:
        """Read the clips in small steps; yields how much is done and all. Raises DatasetError."""
        rows = yield from self._table.rows(self._maker)
        for row in rows:
            self._ranks.setdefault(row.source.sha256, len(self._ranks))
        self._set(rows)
        self._scorer = Scorer(rows, self._most_tokens)
        for done, row in enumerate(rows):
            row.score = self._scorer.score(row)
            if done % _ROWS_AT_ONCE == 0:
                yield done, len(rows)
        before = list(rows)
        patches = list(self.journal.tail())
        for patch in patches:
            self._apply(patch)
        if patches and self.clips != before:
            # A console that was killed has left the tables behind the journal.
            self._changed()

    def close(self) -> None:
        """Wait until the tables are written, and let go of everything. Raises VoicetuiError."""
        try:
            self._background.close()
        finally:
            with self.mutex:
                self._release()
                self._table.close()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the tables are written, or could not be (`problem`); False after `timeout`."""
        return self._background.wait(timeout)

    @property
    def stale(self) -> bool:
        """Whether somebody else has changed the clips."""
        with self.mutex:
            return self._table.replaced or self.journal.grown()

    @property
    def problem(self) -> str:
        """Why the tables could not be written the last time, empty when they could."""
        error = self._background.problem
        return clean(str(error) or type(error).__name__) if error else ""

    def place(self, identifier: str) -> int | None:
        """Where in `clips` a clip is."""
        return self._places.get(identifier)

    def row(self, identifier: str) -> Row:
        """A clip by its id. Raises InputError."""
        with self.mutex:
            place = self._places.get(identifier)
            if place is None:
                raise InputError(f"There is no clip {clean(identifier)} any more.")
            return self.clips[place]

    def whole(self, identifier: str) -> tuple[Row, Clip]:
        """All of a clip, its words too. Raises InputError and DatasetError."""
        with self.mutex:
            row = self.row(identifier)
            values = self._table.values(row)
            try:
                return row, from_row(values)
            except (ValueError, KeyError, TypeError) as error:
                raise self._table.damaged(row, error) from error

    @contextmanager
    def lease(self) -> Iterator[int]:
        """Keep everybody else from writing while an edit is worked out; gives the state for `commit`.

        Raises BusyError, and RefusedError when somebody else has changed the clips.
        """
        with self.mutex:
            self._hold()
            self._leases += 1
            state = self.changes
        try:
            yield state
        finally:
            with self.mutex:
                self._leases -= 1
                self._release_if_done()

    def commit(self, label: str, form: Form, state: int) -> None:
        """Do an edit, within a lease. Raises DiskFullError and RefusedError; nothing is done then."""
        with self.mutex:
            if self.changes != state:
                raise RefusedError("The clips were edited at the same time. Do it again.")
            self.journal.edit(label, form)
            self._apply(form.patch(forward=True))
            self._changed()

    def step(self, *, back: bool) -> tuple[str, tuple[str, ...]] | None:
        """Take the last edit back, or do the last that was taken back again.

        Returns its label and the clips that it concerns; None when there is none.
        """
        with self.mutex:
            stack = self.journal.done if back else self.journal.undone
            if not stack:
                return None
            with self.lease():
                entry = stack[-1]
                form = self.journal.form(entry)
                if back:
                    self.journal.undo()
                else:
                    self.journal.redo()
                patch = form.patch(forward=not back)
                self._apply(patch)
                self._changed()
        touched = [row["id"] for row in patch.add] + [identifier for identifier, _ in patch.assign]
        return entry.label, tuple(touched)

    def _set(self, rows: list[Row]) -> None:
        self.clips = rows
        self._places = {row.id: place for place, row in enumerate(rows)}

    def _apply(self, patch: Patch) -> None:
        """Do what a patch says; clips that are not there are passed over."""
        if patch.remove or patch.add:
            gone = {*patch.remove, *(row["id"] for row in patch.add)}
            rows = [row for row in self.clips if row.id not in gone]
            rows += [self._judged(self._maker.row(row, full=row)) for row in patch.add]
            self._set(in_order(rows, self._ranks))
        for identifier, fields in patch.assign:
            place = self._places.get(identifier)
            if place is not None:
                self.clips[place] = self._judged(self.clips[place].assigned(fields))

    def _judged(self, row: Row) -> Row:
        row.score = self._scorer.score(row)
        return row

    def _changed(self) -> None:
        self.changes += 1
        self._background.poke()

    def _hold(self) -> None:
        if self._holds:
            return
        with ExitStack() as held:
            held.enter_context(edits.hold(self.folder, "review"))
            if self.stale:
                raise RefusedError(
                    f"The clips in {clean(str(self.folder))} were changed by somebody else "
                    "meanwhile. Look at them anew, then do it again."
                )
            self._held = held.pop_all()
            self._holds = True

    def _release_if_done(self, *, failed: bool = False) -> None:
        if not self._leases and (failed or self._written == self.changes):
            self._release()

    def _release(self) -> None:
        self.journal.close()
        self._held.close()
        self._holds = False

    def _rewrite(self) -> None:
        """Write the tables as the clips are now; called in the background."""
        with self.mutex:
            if not self._holds and self.stale:
                # Who changed them had all that is in the journal.
                self._written = self.changes
                return
            self._hold()
            self._leases += 1
            rows, changes = list(self.clips), self.changes
        failed = True
        try:
            table, offsets = rewrite.write(self.folder, self._table, rows)
            written = {row.id: (row, at) for row, at in zip(rows, offsets, strict=True)}
            with self.mutex:
                self._move_to(table, written)
                self._written = changes
                if changes == self.changes:
                    self.journal.written()
            failed = False
        finally:
            with self.mutex:
                self._leases -= 1
                self._release_if_done(failed=failed)

    def _move_to(self, table: Table, written: dict[str, tuple[Row, int]]) -> None:
        """Go on with the new table, which holds the rows as they were when it was begun."""
        self._table.close()
        self._table = table
        for row in self.clips:
            if row.id not in written:
                continue
            old, at = written[row.id]
            if row is old:
                row.at, row.full, row.dirty = at, None, False
            elif row.full is None:
                # It was changed meanwhile; its line has the words all the same.
                row.at = at
