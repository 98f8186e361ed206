"""A dataset under review: its clips as light rows, and every way to change them.

    review = Review.open(project)            # or step through Review.opening(project)
    shown = review.rows("suspect", search="hello", sort="score")
    row = review.clips[shown[0]]
    detail = review.detail(row.id)           # words, both texts, differences
    wave = review.waveform(row.id, 60)
    review.check(text)                       # while typing; set review.tokenizer when it is made
    review.set_text(row.id, text)            # on the disk when it returns
    review.drop([row.id], Reason.NOISE)
    review.undo()                            # an Applied with label and ids, None at the end
    review.close()                           # waits until the tables are written

Indices are places in `clips` as it is now; a split or merge shifts them, ids stay. Edits raise
InputError (why it cannot be done), BusyError (who writes the clips right now), DiskFullError, and
RefusedError when the clips were changed by somebody else meanwhile: then `stale` is true and the
review must be opened anew. Look at `stale` now and then, and at `problem` for tables that could
not be written; edits are safe in the journal all the same. Every method may be called from any
thread. `accept`, `split` and `merge` may have to read a recording: call them in a worker.

No edit needs the project's lock. A training that runs has read its clips, and nothing that it
reads later is written over; what was edited meanwhile is in the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.audio.peaks import Waveform, waveform
from engine.dataset import accounting, summary
from engine.dataset.clips import Clip, Reason, Split, Word
from engine.dataset.edits import Change, Fields, Form, Swap
from engine.dataset.ledger import Loss, ledger
from engine.dataset.review import operations, selection, texts
from engine.dataset.review.rows import Row
from engine.dataset.review.selection import Filter
from engine.dataset.review.store import Store
from engine.dataset.review.texts import Difference, Verdict
from engine.dataset.statistics import Statistics, statistics_of
from engine.errors import InputError
from engine.files import safe_join
from engine.project import Project

if TYPE_CHECKING:
    from engine.dataset.judge import Tokenizer
    from engine.dataset.review.swaps import Cutter


@dataclass(frozen=True)
class Applied:
    """What an operation did: to which clips there are now, and why not to others (id, why).

    Without `ids` there was nothing to do: all were so already.
    """

    label: str
    ids: tuple[str, ...]
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Detail:
    """Everything about one clip.

    `heard` is the text as it was recognised, `changes` how `row.text` differs from it, and
    `disagreements` how the second transcript differs from `row.text`; none where there is no other
    text. `wav` is None for a clip that was dropped before it was cut.
    """

    row: Row
    words: tuple[Word, ...]
    heard: str
    changes: list[Difference]
    text_second: str | None
    disagreements: list[Difference]
    wav: Path | None


class Review:
    """The clips of one project and a person's edits of them.

    `tokenizer` is an `engine.xtts.vocab.Vocabulary`; without one nobody counts tokens.
    """

    def __init__(self, project: Project) -> None:
        """For `opening`. Raises DatasetError when there are no clips."""
        self.project = project
        self.tokenizer: Tokenizer | None = None
        self._folder = project.dataset_dir
        self._most_tokens = project.settings.dataset.max_text_tokens
        self._store = Store(self._folder, self._most_tokens)
        self._finder = selection.Finder()

    @classmethod
    def open(cls, project: Project) -> Review:
        """Read the clips of a project. Raises DatasetError when there are none."""
        steps = cls.opening(project)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                review: Review = end.value
                return review

    @classmethod
    def opening(cls, project: Project) -> Generator[tuple[int, int], None, Review]:
        """Like `open` in steps of some ms, for a thread that shows progress.

        Yields what is done and all there is, first in bytes, then in clips; returns the Review.
        """
        review = cls(project)
        try:
            yield from review._store.load()
        except BaseException:
            review.close()
            raise
        return review

    def close(self) -> None:
        """Wait until the tables are written, and let go of everything. Raises DiskFullError."""
        self._store.close()

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the tables are written, or could not be (`problem`); False after `timeout`."""
        return self._store.flush(timeout)

    @property
    def clips(self) -> list[Row]:
        """All clips in the order of recordings and time; not to be changed."""
        return self._store.clips

    @property
    def changes(self) -> int:
        """Counts the edits of this review: what shows clips is to be drawn anew when it differs."""
        return self._store.changes

    @property
    def stale(self) -> bool:
        """Whether somebody else has changed these clips, so that the review must be opened anew."""
        return self._store.stale

    @property
    def problem(self) -> str:
        """Why the tables could not be written the last time, empty when they could."""
        return self._store.problem

    @property
    def damaged(self) -> int:
        """Lines of the journal that cannot be read; their edits are passed over."""
        return self._store.journal.damaged

    @property
    def orphans(self) -> tuple[Fields, ...]:
        """Edits whose clips the last preparation did not find: of, label, id, source, start, end."""
        return self._store.journal.orphans

    # --- looking ----------------------------------------------------------------------------------

    def rows(
        self, show: Filter = "all", search: str = "", sort: str = "", descending: bool = False
    ) -> list[int]:
        """The places in `clips` of what is asked for.

        `search` is looked for in texts and in names of recordings, whatever the case. `sort` is one
        of `columns`; empty is the order of `clips`. Clips without the value come last.
        """
        with self._store.mutex:
            return self._finder.find(self.clips, show, search, sort, descending)

    @property
    def columns(self) -> tuple[str, ...]:
        """What rows can be sorted by; by `score`, rising, the worst come first."""
        return selection.columns(self.clips)

    def counts(self) -> dict[Filter, int]:
        """How many clips each filter shows."""
        return selection.counts(self.clips)

    def place(self, identifier: str) -> int | None:
        """Where in `clips` a clip is now."""
        return self._store.place(identifier)

    def row(self, identifier: str) -> Row:
        """A clip by its id. Raises InputError."""
        return self._store.row(identifier)

    def detail(self, identifier: str) -> Detail:
        """Everything about a clip. Raises InputError and DatasetError."""
        row, clip = self._store.whole(identifier)
        heard = texts.joined(clip.words)
        second = clip.text_second
        return Detail(
            row,
            clip.words,
            heard,
            texts.differences(heard, row.text) if heard else [],
            second,
            texts.differences(row.text, second) if second is not None else [],
            safe_join(self._folder, row.wav) if row.wav else None,
        )

    def waveform(self, identifier: str, columns: int) -> Waveform | None:
        """The waveform of a clip's wav, None when it has none. Raises DatasetError."""
        row = self.row(identifier)
        return waveform(safe_join(self._folder, row.wav), columns) if row.wav else None

    def statistics(self) -> Statistics:
        """Figures of the clips in use, a second of work with 50,000. Raises DatasetError."""
        unknown = summary.read(self._folder).get("unknown_characters", {})
        return statistics_of(
            list(self.clips),
            accounting.accounted(accounting.read(self._folder), self.clips),
            unknown,
        )

    def ledger(self) -> list[Loss]:
        """What was dropped, by reason, the longest first."""
        return ledger(list(self.clips))

    def check(self, text: str) -> Verdict:
        """Judge a text while it is typed. Raises DatasetError when the tokenizer cannot."""
        return texts.check(text, self.tokenizer, self._most_tokens)

    # --- editing ----------------------------------------------------------------------------------

    def set_text(self, identifier: str, text: str) -> Applied:
        """Write a clip's text. Raises InputError when it cannot be learned."""
        verdict = self.check(text)
        return self._each("text", [identifier], lambda row: operations.text(row, verdict))

    def drop(self, identifiers: Iterable[str], reason: Reason = Reason.BY_HAND) -> Applied:
        """Leave clips out of the training."""
        return self._each("drop", identifiers, lambda row: operations.drop(row, reason))

    def restore(self, identifiers: Iterable[str]) -> Applied:
        """Give clips that a person dropped back their state and set."""
        chosen = list(identifiers)
        before = operations.before_drop(self._store.journal, set(chosen))
        return self._each(
            "restore", chosen, lambda row: operations.restore(row, before.get(row.id))
        )

    def move(self, identifiers: Iterable[str], split: Split) -> Applied:
        """Put clips into train or eval."""
        return self._each("move", identifiers, lambda row: operations.move(row, split))

    def accept(self, identifiers: Iterable[str]) -> Applied:
        """Keep clips that are suspect or were dropped; what was never cut is cut now."""
        lost: list[str] = []

        def accepted(row: Row) -> dict[str, Any]:
            after = operations.accept(row, self.check(row.text), self._side)
            if after and not row.wav:
                lost.append(row.id)
                return {}
            return after

        with self._store.lease() as state:
            changed, refused = self._worked_out(identifiers, accepted)
            swaps, more = self._rescued(lost)
            return self._commit("accept", Form(changed, swaps), state, refused + more)

    def split(self, identifier: str, at: float) -> Applied:
        """Make two clips from one, at the quietest place near `at` seconds of the recording.

        A part without words or under min_clip_seconds is dropped. Raises InputError.
        """
        with self._store.lease() as state:
            row, clip = self._store.whole(identifier)
            taken = {other.id for other in self.clips}
            swap = self._cutter().split(clip, at, self._stem(row), taken)
            return self._commit("split", Form(swaps=(swap,)), state)

    def merge(self, identifier: str) -> Applied:
        """Make one clip from this and the next of its recording. Raises InputError."""
        with self._store.lease() as state:
            row, left = self._store.whole(identifier)
            place = self.place(identifier)
            following = self.clips[place + 1 :][:1] if place is not None else []
            if not following or following[0].source != row.source:
                raise InputError("This is the last clip of its recording; there is none to merge.")
            _, right = self._store.whole(following[0].id)
            swap = self._cutter().merge(left, right, self._stem(row))
            return self._commit("merge", Form(swaps=(swap,)), state)

    def undo(self) -> Applied | None:
        """Take the last edit back, also one of an earlier day; None when there is none."""
        done = self._store.step(back=True)
        return Applied(*done) if done else None

    def redo(self) -> Applied | None:
        """Do again what was taken back last; None when there is nothing."""
        done = self._store.step(back=False)
        return Applied(*done) if done else None

    # --- how edits are worked out -----------------------------------------------------------------

    def _each(
        self, label: str, identifiers: Iterable[str], after: Callable[[Row], dict[str, Any]]
    ) -> Applied:
        """The same operation on some clips as one edit."""
        with self._store.lease() as state:
            changes, refused = self._worked_out(identifiers, after)
            return self._commit(label, Form(changes), state, refused)

    def _worked_out(
        self, identifiers: Iterable[str], after: Callable[[Row], dict[str, Any]]
    ) -> tuple[tuple[Change, ...], list[tuple[str, str]]]:
        changes, refused = [], []
        for identifier in dict.fromkeys(identifiers):
            try:
                row = self.row(identifier)
                if fields := after(row):
                    changes.append(operations.change(row, fields))
            except InputError as error:
                refused.append((identifier, str(error)))
        return tuple(changes), refused

    def _commit(
        self, label: str, form: Form, state: int, refused: Sequence[tuple[str, str]] = ()
    ) -> Applied:
        """Do an edit that was worked out in a state; raise why where nothing can be done."""
        if form.changes or form.swaps:
            self._store.commit(label, form, state)
        elif refused:
            raise InputError(refused[0][1])
        return Applied(label, form.ids, tuple(refused))

    def _rescued(self, lost: list[str]) -> tuple[tuple[Swap, ...], list[tuple[str, str]]]:
        """Cut clips that were dropped before they were cut, recording by recording."""
        groups: dict[str, list[tuple[Row, Clip]]] = {}
        for identifier in lost:
            row, clip = self._store.whole(identifier)
            groups.setdefault(row.source.sha256, []).append((row, clip))
        swaps: list[Swap] = []
        refused: list[tuple[str, str]] = []
        cutter = self._cutter() if groups else None
        for group in groups.values():
            assert cutter is not None
            group.sort(key=lambda pair: pair[0].start)
            try:
                swaps += cutter.accept([clip for _, clip in group], self._stem(group[0][0]))
            except InputError as error:
                refused += [(row.id, str(error)) for row, _ in group]
        return tuple(swaps), refused

    def _cutter(self) -> Cutter:
        from engine.dataset.review.swaps import Cutter

        return Cutter(self.project, self.tokenizer, self._side)

    def _side(self, clip: Row | Clip) -> Split:
        """The set in which a clip's time belongs, as it was decided for its recording."""
        from engine.dataset import split

        middle = (clip.start + clip.end) / 2
        blocks = split.load(self._folder).get(clip.source.sha256, split.NOTHING)
        return "eval" if any(b.start <= middle <= b.end for b in blocks) else "train"

    def _stem(self, row: Row) -> str:
        """What wavs of a clip's recording are called."""
        named = next((c.wav for c in self.clips if c.source == row.source and c.wav), "")
        return Path(named).stem.rpartition("_")[0] or f"recording-{row.source.sha256[:8]}"
