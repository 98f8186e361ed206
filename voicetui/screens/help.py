"""Help: the keys of the screen before it, what the numbers mean, and advice by topic."""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual.widget import Widget
from textual.widgets import Input

from voicetui import keys
from voicetui.guide.layout import Laid, lay_out
from voicetui.guide.topics import topics
from voicetui.screens.base import ConsoleScreen
from voicetui.widgets.entry import Entry
from voicetui.widgets.lines import Lines
from voicetui.widgets.pager import Pager
from voicetui.widgets.styled import Line, fitted

_LIST_WIDTH = 20


class HelpScreen(ConsoleScreen):
    """`about` is the scope of the screen whose help this is."""

    scope = "help"
    heading = "help"

    def __init__(self, about: str) -> None:
        super().__init__()
        self._about = about
        self._at = 0
        self._pressed = ""
        self._wanted = ""
        # Where the word stands: topic and line. `_match` is the one in sight.
        self._matches: list[tuple[int, int]] = []
        self._match = 0
        self._origin = (0, 0)

    def body(self) -> Iterable[Widget]:
        yield Lines(id="help-topics")
        yield Pager(id="help-text")
        finder = Entry(
            id="help-find", placeholder="a word; Enter goes on reading, Ctrl-G leaves the search"
        )
        yield finder

    def on_mount(self) -> None:
        keymap = self.console.keymap
        self._topics = topics(self._about, keymap)
        rows = keys.remapped(keymap)
        self._key_names = {row.id: keys.names(row.keys) for row in rows}
        self._topic_keys = next(row for row in rows if row.id == "help.topic").keys.split(",")
        self._laid: dict[tuple[int, int], Laid] = {}
        self.query_one("#help-find").display = False
        self._pager.focus()

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - the base's own
        self.call_after_refresh(self._lay_out_again)

    @property
    def _pager(self) -> Pager:
        return self.query_one(Pager)

    def title_text(self) -> str:
        return f"help · {self._topics[self._at].title}"

    # --- topics -----------------------------------------------------------------------------------

    def _page(self, number: int) -> Laid:
        place = (number, self._pager.text_width)
        if place not in self._laid:
            self._laid[place] = lay_out(self._topics[number], place[1], self._key_name)
        return self._laid[place]

    def _key_name(self, identifier: str) -> str:
        return self._key_names.get(identifier, identifier)

    def _lay_out_again(self) -> None:
        if self._wanted:
            self._matches = self._found(self._wanted)
            self._show_match()
        else:
            self._open(self._at)

    def _open(self, number: int, *, top: int = 0, mark: int | None = None) -> None:
        self._at = number
        self._pager.show(self._page(number).lines, top=top, mark=mark)
        self._show_topics()
        self.refresh_title()

    def _show_topics(self) -> None:
        shown = self.query_one("#help-topics", Lines)
        if self.has_class("-narrow"):
            shown.show([self._one_line(shown.size.width)])
            return
        shown.show([[], *(self._entry(number, _LIST_WIDTH) for number in range(len(self._topics)))])

    def _entry(self, number: int, width: int) -> Line:
        style = "inverse" if number == self._at else ""
        return [(fitted(f"  {number + 1}  {self._topics[number].name}", width), style)]

    def _one_line(self, width: int) -> Line:
        names = [f"{number + 1} {topic.name}" for number, topic in enumerate(self._topics)]
        # A space between them; where that is too long, only numbers beside the open one.
        if sum(map(len, names)) + len(names) - 1 > width:
            names = [
                f" {name} " if number == self._at else f" {number + 1} "
                for number, name in enumerate(names)
            ]
        spans: Line = []
        for number, name in enumerate(names):
            spans += [(name, "inverse" if number == self._at else "dim"), (" ", "")]
        return spans[:-1]

    def action_topic(self) -> None:
        self._open(self._topic_keys.index(self._pressed))

    def action_next_topic(self) -> None:
        self._open((self._at + 1) % len(self._topics))

    def action_previous_topic(self) -> None:
        self._open((self._at - 1) % len(self._topics))

    # --- finding ----------------------------------------------------------------------------------

    def is_possible(self, action: str) -> bool:
        return bool(self._matches) or action not in ("next_match", "previous_match")

    def action_find(self) -> None:
        finder = self.query_one(Input)
        self._origin = (self._at, self._pager.top)
        finder.value = ""
        finder.display = True
        finder.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._wanted = " ".join(event.value.split())
        self._matches = self._found(self._wanted) if self._wanted else []
        if self._matches:
            self._match = next(
                (i for i, match in enumerate(self._matches) if match >= self._origin), 0
            )
            self._show_match()
        else:
            self._open(self._origin[0], top=self._origin[1])
            self.say(f"“{self._wanted}” stands nowhere." if self._wanted else "", "warn")
        self.refresh_keys()

    def on_input_submitted(self) -> None:
        self._close_finder()

    def _close_finder(self) -> None:
        self.query_one(Input).display = False
        self._pager.focus()

    def _found(self, wanted: str) -> list[tuple[int, int]]:
        return [
            (number, line)
            for number in range(len(self._topics))
            for line in self._page(number).find(wanted)
        ]

    def _show_match(self) -> None:
        if not self._matches:
            return
        self._match %= len(self._matches)
        topic, line = self._matches[self._match]
        top = self._pager.top if topic == self._at else 0
        self._open(topic, top=top, mark=line)
        self.say(f"“{self._wanted}”: {self._match + 1} of {len(self._matches)}")

    def action_next_match(self) -> None:
        self._match += 1
        self._show_match()

    def action_previous_match(self) -> None:
        self._match -= 1
        self._show_match()

    def on_key(self, event: events.Key) -> None:
        # A key reaches this before its binding does.
        self._pressed = event.key
        finder = self.query_one(Input)
        leaves = event.key in ("escape", "ctrl+g") or (
            event.key == "backspace" and not finder.value
        )
        if finder.has_focus and leaves:
            event.stop()
            finder.value = ""
            self._close_finder()
