"""A line to type in, with its name before it and a verdict below."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical

from voicetui.widgets.entry import Entry
from voicetui.widgets.lines import Lines
from voicetui.widgets.styled import Line, wrapped

LABEL_WIDTH = 12


class _Entry(Entry):
    # Before what is typed after it, like the wizard's own keys.
    BINDINGS = [Binding("enter", "screen.forward", "next", priority=True)]  # noqa: RUF012


class Field(Vertical):
    """Its Input has the id that is given."""

    DEFAULT_CSS = """
    Field { height: auto; }
    Field Horizontal { height: 1; }
    Field .label { width: 12; }
    Field Input { width: 1fr; }
    Field .verdict { padding-left: 12; }
    """

    def __init__(self, label: str, value: str, placeholder: str, id: str) -> None:  # noqa: A002
        super().__init__()
        self._label = label
        self._value = value
        self._placeholder = placeholder
        self._input_id = id

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Lines([[(f" {self._label}", "bold")]], classes="label")
            yield _Entry(
                self._value,
                placeholder=self._placeholder,
                id=self._input_id,
                select_on_focus=False,
            )
        yield Lines([[]], classes="verdict")

    def judge(self, problem: str, otherwise: str = "", style: str = "dim") -> None:
        """Say what is wrong with the text, or what it means."""
        verdict = self.query_one(".verdict", Lines)
        width = max(20, self.size.width - LABEL_WIDTH - 4)
        lines: list[Line] = [[(line, style)] for line in wrapped(otherwise, width)]
        if problem:
            first, *more = wrapped(problem, width)
            lines = [[("✗ ", "bad"), (first, "warn")], *([("  " + line, "warn")] for line in more)]
        verdict.show(lines or [[]])
