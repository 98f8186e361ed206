"""The panes of the dashboard: which one is in sight, and the list of events."""

from __future__ import annotations

from textual.widgets import Input

from engine.text import clean
from voicetui.screens.panels.panes import PANES, PARTS, arrange
from voicetui.screens.run_keys import RunKeys
from voicetui.widgets.event_list import EventRows
from voicetui.widgets.filter_line import FilterLine
from voicetui.widgets.rows import RowList


class PaneKeys(RunKeys):
    """A screen with panes, one of which lists the events of its job."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = EventRows()
        self.pane = 0
        # How many events are shown, of which group, by which filter, and the newest of them.
        self._shown_events: tuple[int, str, str, int] = (0, "", "", 0)

    def draw_all(self) -> None:
        """Draw everything with what is known now."""
        raise NotImplementedError

    # --- panes ------------------------------------------------------------------------------------

    def set_pane(self, number: int) -> None:
        """Bring a pane into sight."""
        self.pane = number % len(PANES)
        focus = {2: "#warnings", 3: "#events"}.get(self.pane)
        self.arrange_panes()
        self.set_focus(self.query_one(focus) if focus else None)
        # When the parts have their sizes.
        self.call_after_refresh(self.draw_all)

    def arrange_panes(self) -> None:
        """Show and hide parts; by their own styles, because classes would style the screen anew."""
        wanted = arrange(self.classes, self.pane, is_run=self.is_run)
        for part in PARTS:
            self.query_one(f"#{part}").display = part in wanted.shown
        for part in ("side", "facts"):
            self.query_one(f"#{part}").styles.height = "1fr" if part in wanted.tall else "auto"
        self.query_one("#tabs").display = wanted.tabs
        self.query_one("#events-head").display = not wanted.tabs

    def action_next_pane(self) -> None:
        self.set_pane(self.pane + 1)

    def action_previous_pane(self) -> None:
        self.set_pane(self.pane - 1)

    def action_evaluations(self) -> None:
        self.set_pane(0)

    def action_machine(self) -> None:
        self.set_pane(1)

    def action_warnings(self) -> None:
        self.set_pane(2)

    def action_events(self) -> None:
        self.set_pane(3)

    # --- events -----------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.set_pane(3)
        self.query_one(FilterLine).open()

    def on_input_changed(self, event: Input.Changed) -> None:
        self.rows.set_filter(event.value)
        self.show_events()

    def action_groups(self) -> None:
        self.set_pane(3)
        self.say(f"Events: {self.rows.next_group()}.")
        self.show_events()

    def on_row_list_chosen(self, message: RowList.Chosen) -> None:
        self.console.tell("What happened", self.rows.full_text(message.index))

    def show_events(self) -> None:
        """Draw the list where it changed; a cursor on the last row stays on the last."""
        shown = (len(self.rows), self.rows.group, self.rows.filter, self._newest_event())
        if shown == self._shown_events:
            return
        rows = self.query_one("#events", RowList)
        at_end = rows.cursor >= self._shown_events[0] - 1 or shown[1:3] != self._shown_events[1:3]
        self._shown_events = shown
        cursor = len(self.rows) - 1 if at_end else None
        rows.show(self.rows, cursor=cursor, empty=self._empty_text())

    def _empty_text(self) -> str:
        sought = self.rows.filter.strip()
        if sought:
            return f'No event holds "{clean(sought)}".'
        is_first = self.rows.group == self.rows.GROUPS[0]
        return (
            "Nothing happened yet." if is_first else f"No event of this group: {self.rows.group}."
        )

    def _newest_event(self) -> int:
        return self.rows.record(len(self.rows) - 1).seq if len(self.rows) else 0
