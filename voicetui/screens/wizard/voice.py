"""Step 1: what the voice is called, what it speaks, and where the project is made."""

from __future__ import annotations

import os
from collections.abc import Iterable

from textual import events
from textual.widget import Widget
from textual.widgets import Input

from engine import languages
from engine.hardware import disk
from engine.languages import LANGUAGES
from engine.text import clean
from voicetui.amounts import size
from voicetui.screens.dialogs import Choice, Choose
from voicetui.screens.wizard import plan
from voicetui.screens.wizard.field import LABEL_WIDTH, Field
from voicetui.screens.wizard.step import Step
from voicetui.typed import path_of
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, fitted

_COLUMNS = 3
_CELL_WIDTH = 18
_LEAST_CELL_WIDTH = 15
_ADVICE = {
    "name": (
        "The name stands on the finished voice and is the speaker's name in the dataset. "
        "You can change it later."
    ),
    "language": (
        "What the recordings speak; type its name or code, or step with ↑ and ↓. XTTS knows these "
        "17. Another one is taught: type its code (sv, el …). It needs hours of speech and 100 "
        "epochs or more, or in step 3 a base whose vocab.json holds its [xx] tag."
    ),
    "folder": (
        "One plain folder holds everything: clips, runs, exports. Recordings stay where they are. "
        "Each full checkpoint takes about 5 GB, so choose a disk with room."
    ),
}


def matching(text: str) -> list[str]:
    """The codes of the languages whose code or name begins with a text."""
    start = text.strip().casefold()
    return [
        code
        for code, name in LANGUAGES.items()
        if code.startswith(start) or name.casefold().startswith(start)
    ]


class VoiceStep(Step):
    """Name, language and folder."""

    def compose(self) -> Iterable[Widget]:
        draft = self.draft
        yield Field("Name", draft.name, "Anna", "name")
        yield Field("Language", _shown(draft.language), "type to search: german, de", "language")
        yield Lines(id="languages")
        if self.before is None:
            yield Field("Folder", draft.folder, "where the project is made", "folder")
        else:
            yield Lines([[(fitted(" Folder", LABEL_WIDTH), "bold"), (draft.folder, "dim")]])

    def on_mount(self) -> None:
        # What was typed last; arrows walk through what it matches.
        self._typed = "" if self._is_chosen() else self.draft.language
        self.draft_changed()

    def on_resize(self) -> None:
        self.draft_changed()

    def fields(self) -> list[Widget]:
        return list(self.query(Input))

    def advice(self) -> str:
        focused = self.screen.focused
        return _ADVICE.get((focused and focused.id) or "name", _ADVICE["name"])

    def _is_chosen(self) -> bool:
        return languages.normal(self.draft.language) in LANGUAGES

    # --- typing -----------------------------------------------------------------------------------

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        draft = self.draft
        if event.input.id == "name" and event.value != draft.name:
            follows = self.before is None and not draft.own_folder
            folder = plan.folder_for(event.value) if follows else draft.folder
            self.wizard.change(name=event.value, folder=folder)
            if follows:
                self._put("folder", folder)
        elif event.input.id == "folder" and event.value != draft.folder:
            self.wizard.change(folder=event.value, own_folder=bool(event.value.strip()))
        elif event.input.id == "language" and event.value != _shown(draft.language):
            self._typed = event.value
            self._choose(event.value)

    def on_key(self, event: events.Key) -> None:
        focused = self.screen.focused
        if event.key not in ("up", "down") or focused is None:
            return
        event.stop()
        if focused.id == "language":
            self._walk(1 if event.key == "down" else -1)
        else:
            self.wizard.move_focus(1 if event.key == "down" else -1)

    def leave(self, field: Widget) -> None:
        # "ger" is enough for German.
        found = matching(self._typed) if self._typed.strip() else []
        if field.id == "language" and found and not self._is_chosen():
            self._take(found[0])
        elif field.id == "language" and plan.may_be_new(self.draft):
            self._ask_whether_new(languages.normal(self.draft.language))

    def _ask_whether_new(self, code: str) -> None:
        def answered(answer: str | None) -> None:
            if answer == "n":
                self.wizard.change(new_language=code)
            elif self.is_attached:
                self.screen.set_focus(self.query_one("#language", Input))

        self.app.push_screen(
            Choose(
                f"The base does not know the language {clean(code)}",
                "It can be taught: the clips' text becomes new tokens, once they are prepared. A "
                "voice in it needs hours of speech and 100 epochs or more.",
                [Choice("n", "take it as a new language"), Choice("q", "type another one")],
            ),
            answered,
        )

    def show_problem(self) -> Widget | None:
        draft = self.draft
        told = {
            "name": plan.name_problem(draft),
            "language": plan.language_problem(draft),
            "folder": plan.folder_problem(draft, self.before),
        }
        wrong = next((field for field, problem in told.items() if problem), None)
        return None if wrong is None else self.query_one(f"#{wrong}", Input)

    def _walk(self, step: int) -> None:
        found = matching(self._typed) or list(LANGUAGES)
        now = languages.normal(self.draft.language)
        at = found.index(now) + step if now in found else (0 if step > 0 else -1)
        self._take(found[at % len(found)])

    def _take(self, code: str) -> None:
        self._put("language", LANGUAGES[code])
        self._choose(code)

    def _choose(self, text: str) -> None:
        code = languages.normal(text)
        self.wizard.change(language=code if code in LANGUAGES else text)

    def _put(self, field: str, text: str) -> None:
        entry = self.query_one(f"#{field}", Input)
        with entry.prevent(Input.Changed):
            entry.value = text
            entry.cursor_position = len(text)

    # --- showing ----------------------------------------------------------------------------------

    def draft_changed(self) -> None:
        draft = self.draft
        name, language = self._field("name"), self._field("language")
        name.judge(plan.name_problem(draft) if draft.name else "", "")
        told = plan.language_problem(draft) if draft.language.strip() else ""
        found = bool(matching(draft.language)) and not self._is_chosen()
        code = languages.normal(draft.language)
        meant = f"written as {clean(code)}"
        if plan.is_new(draft):
            meant = f"{clean(code)} is new to the base: it is taught once the clips are prepared"
        language.judge("" if found else told, "" if told or not code else meant)
        grid = self.query_one("#languages", Lines)
        # A text that begins no language needs the room to say so.
        grid.display = found or not told
        grid.show(self._grid())
        if self.before is None:
            problem = plan.folder_problem(draft, None) if draft.folder.strip() else ""
            self._field("folder").judge(problem, self._where())

    def _field(self, name: str) -> Field:
        return next(field for field in self.query(Field) if field.query(f"#{name}"))

    def _where(self) -> str:
        if not self.draft.folder.strip():
            return ""
        path = path_of(self.draft.folder)
        room = disk(path)
        free = f"; {size(room.free)} are free on its disk" if room is not None else ""
        return f"{'is there already' if os.path.isdir(path) else 'a new folder'}{free}"

    def _grid(self) -> list[Line]:
        found = set(matching(self._typed))
        chosen = languages.normal(self.draft.language)
        codes = list(LANGUAGES)
        rows = -(-len(codes) // _COLUMNS)
        room = (self.size.width - LABEL_WIDTH) // _COLUMNS - 1
        width = max(_LEAST_CELL_WIDTH, min(_CELL_WIDTH, room))
        lines: list[Line] = []
        for row in range(rows):
            line: Line = [(" " * LABEL_WIDTH, "")]
            for code in codes[row::rows]:
                style = "inverse" if code == chosen else "" if code in found else "dim"
                line += [(fitted(f" {code:<6}{LANGUAGES[code]}", width), style), (" ", "")]
            lines.append(line)
        return lines


def _shown(language: str) -> str:
    """A language as its field shows it: the name, where we know one."""
    return LANGUAGES.get(language, language)
