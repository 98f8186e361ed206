"""What a person does to clips: edits, which are done one after the other, and hearing them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from engine.dataset.clips import BY_PERSON, Reason, Split
from engine.errors import InputError, RefusedError, VoicetuiError
from engine.text import clean
from voicetui import listening
from voicetui.screens.dialogs import Choice, Choose
from voicetui.screens.review.editor import TextEditor, TextJudge
from voicetui.screens.review.listing import ListKeys

if TYPE_CHECKING:
    from engine.dataset.review.review import Applied, Review
    from engine.dataset.review.rows import Row

_FINE_SECONDS = 0.05
_DROP_KEYS = dict(zip("dnoc", BY_PERSON, strict=True))
_PAST = {
    "text": "changed the text",
    "accept": "accepted",
    "drop": "dropped",
    "restore": "restored",
    "move": "moved",
    "split": "split",
    "merge": "merged",
}

Work = Callable[["Review"], "Applied | None"]


class EditKeys(ListKeys):
    """The keys that change clips or let them be heard.

    Edits are done one after the other in a thread of their own. They are on the disk before their
    clips change on the screen, and none that a key asked for is lost when the screen is left.
    """

    def __init__(self) -> None:
        super().__init__()
        self._edits = ThreadPoolExecutor(1, "voicetui-edits")
        self._judge: TextJudge | None = None
        self._newest: Future[Applied | None] | None = None
        # Texts that were typed and are not saved, by clip: the next edit offers them again.
        self._typed: dict[str, str] = {}

    async def reopen(self) -> None:
        """Read the clips again, since somebody else has changed them."""
        raise NotImplementedError

    # --- one edit ---------------------------------------------------------------------------------

    def _edit(
        self, work: Work, told: Callable[[Applied], str] | None = None, *, refused: str = ""
    ) -> None:
        """Do an edit; `told` says what it did, `refused` begins to tell that it was not done."""
        review = self.review
        if review is not None:
            done = self._edits.submit(work, review)
            self._newest = done
            self.run_worker(self._show_edit(done, told or _told, refused))

    @property
    def _is_settled(self) -> bool:
        """Whether the list shows what was asked for, and no edit waits its turn."""
        return self._newest is None or self._newest.done()

    async def _show_edit(
        self, done: Future[Applied | None], told: Callable[[Applied], str], refused: str
    ) -> None:
        try:
            # Shielded: leaving the screen ends this, and must not take back what waits its turn.
            applied = await asyncio.shield(asyncio.wrap_future(done))
        except RefusedError as error:
            self.say(f"{refused}{error}", "warn")
            await self.reopen()
            return
        except VoicetuiError as error:
            self.say(f"{refused}{error}", "bad")
            return
        if applied is None:
            self.say("There is nothing more to take back or do again.", "warn")
            return
        self.pane.refresh_clips(applied.ids)
        text = told(applied)
        if applied.refused:
            text = f"{text}; {_refused(applied)}"
        self.say(text, "warn" if applied.refused else "good")

    def _finish(self, *, selected: bool) -> None:
        """After an edit: the selection has served, or the next clip comes."""
        if selected:
            self.pane.clear_selection()
        else:
            self.pane.clip_list.move_to(self.pane.clip_list.cursor + 1)

    def action_accept(self) -> None:
        ids = self.pane.targets
        self._edit(lambda review: review.accept(ids))
        self._finish(selected=bool(self.pane.chosen))

    def action_restore(self) -> None:
        ids = self.pane.targets
        self._edit(lambda review: _restored(review, ids))
        self._finish(selected=bool(self.pane.chosen))

    def action_drop(self) -> None:
        ids = self.pane.targets
        rows = [row for row in map(self._row, ids) if row is not None]
        if self._is_settled and rows and all(row.state == "dropped" for row in rows):
            self.say(_dropped_already(rows), "warn")
            return
        what = "this clip" if len(ids) == 1 else f"{len(ids):,} clips"
        choices = [
            Choice(key, f"{'by hand' if key == 'd' else reason.words}")
            for key, reason in _DROP_KEYS.items()
        ]
        text = "A dropped clip stays in the list, and r brings it back. Why?"

        def chosen(key: str | None) -> None:
            if key in _DROP_KEYS:
                self._drop(ids, _DROP_KEYS[key])

        self.app.push_screen(Choose(f"Drop {what}?", text, choices), chosen)

    def _drop(self, ids: Sequence[str], reason: Reason) -> None:
        words = reason.value.replace("_", " ")
        self._edit(
            # What is dropped already keeps its reason.
            lambda review: review.drop(_in_use(review, ids), reason),
            lambda applied: (
                f"{_done(applied)} ({words}); u undoes"
                if applied.ids
                else "Dropped already; r brings it back."
            ),
        )
        self._finish(selected=bool(self.pane.chosen))

    def action_move(self) -> None:
        row = self.pane.current
        if not self.pane.chosen and row is not None:
            self._move([row.id], "eval" if row.split == "train" else "train")
            return
        ids = self.pane.targets

        def chosen(key: str | None) -> None:
            if key is not None:
                self._move(ids, "train" if key == "t" else "eval")

        self.app.push_screen(
            Choose(
                f"Move {len(ids):,} clips",
                "What is held out judges the training and is not learned. A clip and its "
                "neighbours belong on one side.",
                [Choice("t", "to train"), Choice("e", "to eval (held out)")],
            ),
            chosen,
        )

    def _move(self, ids: Sequence[str], side: Split) -> None:
        selected = bool(self.pane.chosen)
        self._edit(
            lambda review: review.move(ids, side),
            lambda applied: (
                f"{_done(applied)} to {side}; u undoes" if applied.ids else _told(applied)
            ),
        )
        if selected:
            self.pane.clear_selection()

    def action_undo(self) -> None:
        self._edit(lambda review: review.undo(), self._undone("undid"))

    def action_redo(self) -> None:
        self._edit(lambda review: review.redo(), self._undone("did again"))

    def _undone(self, what: str) -> Callable[[Applied], str]:
        def told(applied: Applied) -> str:
            self._go_to(applied.ids)
            more = f" of {len(applied.ids):,} clips" if len(applied.ids) > 1 else ""
            return f"{what}: {applied.label}{more}"

        return told

    def _go_to(self, ids: Sequence[str]) -> None:
        """Bring one of the clips under the cursor, if any is listed."""
        order = self.pane.order
        found = next((identifier for identifier in ids if identifier in set(order)), None)
        if found is not None:
            self.pane.clip_list.move_to(order.index(found))

    # --- text, cut, merge -------------------------------------------------------------------------

    def action_edit(self) -> None:
        self.run_worker(self._edit_text(), exclusive=True, group="editor")

    async def _edit_text(self) -> None:
        row, review = self.pane.current, self.review
        if row is None or review is None:
            return
        try:
            detail = await asyncio.to_thread(review.detail, row.id)
        except VoicetuiError as error:
            self.say(str(error), "bad")
            return
        if self._judge is None or not self._judge.judges(review):
            self._judge = TextJudge(review)
        tokens = row.scores.get("tokens", 0.0)
        title = f"Text of this clip ({row.seconds:.1f} s of {clean(row.source.path)})"
        second, typed = detail.text_second or "", self._typed.get(row.id)
        editor = TextEditor(self._judge, title, row.text, second, tokens, typed)

        def written(text: str | None) -> None:
            self._typed.pop(row.id, None)
            if text is not None:
                self._write(row, text)

        self.app.push_screen(editor, written)

    def _write(self, row: Row, text: str) -> None:
        """Save a text; it is kept until that is done."""
        self._typed[row.id] = text

        def told(_: Applied) -> str:
            if self._typed.get(row.id) == text:
                del self._typed[row.id]
            return _written(row)

        refused = "Not saved, e offers your text again: "
        self._edit(lambda review: review.set_text(row.id, text), told, refused=refused)

    def action_cut(self) -> None:
        pane, row = self.pane, self.pane.current
        if pane.clip.cut is None or row is None:
            pane.move_cut(0)
            if pane.clip.cut is not None:
                self.say("← → move the mark between words, c cuts there, Ctrl-G forgets it.")
            return
        at = pane.clip.cut
        self._edit(
            lambda review: review.split(row.id, at),
            lambda applied: f"split into {len(applied.ids)} clips; u undoes",
        )

    def action_cut_left(self) -> None:
        self.pane.move_cut(-1)

    def action_cut_right(self) -> None:
        self.pane.move_cut(1)

    def action_cut_left_fine(self) -> None:
        self.pane.move_cut(0, seconds=-_FINE_SECONDS)

    def action_cut_right_fine(self) -> None:
        self.pane.move_cut(0, seconds=_FINE_SECONDS)

    def action_merge(self) -> None:
        row = self.pane.current
        if row is not None:
            self._edit(
                lambda review: review.merge(row.id),
                lambda _: "merged with the next clip of the recording; u undoes",
            )

    # --- hearing ----------------------------------------------------------------------------------

    def action_listen(self) -> None:
        row, review = self.pane.current, self.review
        if row is None or review is None:
            return
        if not row.wav:
            self.say("This clip was dropped before it was cut: it has no audio yet.", "warn")
            return
        heard = listening.listen(self.app, review.project.dataset_dir / row.wav)
        if heard.playing:
            self.say(heard.told)
        else:
            self.console.tell("Listen on your own machine", f"{heard.command}\n\n{heard.told}")

    def action_copy(self) -> None:
        review = self.review
        rows = [row for row in map(self._row, self.pane.targets) if row is not None and row.wav]
        if review is None or not rows:
            self.say("This clip was dropped before it was cut: it has no file.", "warn")
            return
        paths = [str((review.project.dataset_dir / row.wav).absolute()) for row in rows]
        copied = listening.copy(self.app, "\n".join(paths))
        shown = paths[0] if len(paths) == 1 else f"{len(paths):,} paths"
        self.say(f"{copied.told}: {os.path.basename(shown)}")

    def _row(self, identifier: str) -> Row | None:
        place = self.review.place(identifier) if self.review is not None else None
        return None if place is None or self.review is None else self.review.clips[place]


def _done(applied: Applied) -> str:
    count = len(applied.ids)
    past = _PAST.get(applied.label, applied.label)
    return past if count == 1 else f"{past} {count:,} clips"


def _told(applied: Applied) -> str:
    if not applied.ids:
        return "Nothing changed: it was so already." if not applied.refused else "Nothing changed"
    return f"{_done(applied)}; u undoes"


def _restored(review: Review, ids: Sequence[str]) -> Applied:
    try:
        return review.restore(ids)
    except InputError as error:
        lost = len(ids) - len(_in_use(review, ids))
        if lost < 2:
            raise
        raise InputError(_by_preparation(lost)) from error


def _in_use(review: Review, ids: Sequence[str]) -> list[str]:
    """Those that are not dropped, also those that are no more: an edit refuses these in words."""
    dropped = {row.id for row in review.clips if row.state == "dropped"}
    return [each for each in ids if each not in dropped]


def _refused(applied: Applied) -> str:
    count = len(applied.refused)
    if applied.label == "restore" and count > 1:
        return _by_preparation(count)
    return f"{count} not: {applied.refused[0][1]}"


def _by_preparation(count: int) -> str:
    return f"{count:,} clips were dropped by the preparation; a accepts them all the same."


def _dropped_already(rows: Sequence[Row]) -> str:
    reasons = sorted({row.reason.replace("_", " ") for row in rows})
    why = f" ({', '.join(reasons[:3])}{', …' if len(reasons) > 3 else ''})"
    if len(rows) > 1:
        return f"{len(rows):,} clips are dropped already{why}; r or a brings them back."
    edited = "state" in rows[0].edited
    return f"It is dropped already{why}; {'r' if edited else 'a'} brings it back."


def _written(row: Row) -> str:
    more = " a accepts the clip." if row.state != "kept" else ""
    return f"The text is saved; u undoes.{more}"
