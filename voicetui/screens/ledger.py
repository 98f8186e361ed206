"""The drop ledger: why clips were left out or are suspect, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Container

from voicetui.amounts import duration
from voicetui.widgets.lines import Lines
from voicetui.widgets.rows import RowList
from voicetui.widgets.styled import Line, fitted, wrapped

if TYPE_CHECKING:
    from engine.dataset.ledger import Loss

_BAR = 12


class LedgerPane(Container):
    """One row a reason, with its remedy below; Enter is answered by the screen."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._losses: Sequence[Loss] = ()

    def compose(self) -> ComposeResult:
        yield RowList(LossRows(()), header=header(0), empty="Nothing was dropped.", id="losses")
        yield Lines(id="remedy")

    @property
    def chosen(self) -> Loss | None:
        """The reason under the cursor."""
        cursor = self.query_one("#losses", RowList).cursor
        return self._losses[cursor] if cursor < len(self._losses) else None

    def show(self, losses: Sequence[Loss]) -> None:
        """Show the losses of a dataset, the longest first."""
        self._losses = losses
        rows = self.query_one("#losses", RowList)
        rows.show(LossRows(losses), header=header(self.size.width))
        self._tell()

    def on_resize(self) -> None:
        self.show(self._losses)

    def on_row_list_moved(self) -> None:
        self._tell()

    def _tell(self) -> None:
        loss, width = self.chosen, max(20, self.size.width - 2)
        lines: list[Line] = []
        if loss is not None:
            words = f" {loss.words[:1].upper()}{loss.words[1:]}"
            lines = [[(fitted(words, self.size.width), "head")]]
            if loss.state == "suspect":
                lines.append([(" These clips are in use; they are worth a look.", "")])
            lines += [[(f" {line}", "")] for line in wrapped(loss.remedy, width)]
            lines += [[], [(" Enter shows these clips in the review.", "dim")]]
        self.query_one("#remedy", Lines).show(lines)


class LossRows:
    """The losses as rows of a list."""

    def __init__(self, losses: Sequence[Loss]) -> None:
        self._losses = losses

    def __len__(self) -> int:
        return len(self._losses)

    def line(self, index: int, width: int) -> Line:
        loss = self._losses[index]
        full = max(1, round(loss.share * _BAR)) if loss.clips else 0
        suspect = loss.state == "suspect"
        name = f" {loss.reason.replace('_', ' ')}{' (suspect)' if suspect else ''}"
        return [
            (fitted(name, _name_room(width)), "bold"),
            (f"{loss.clips:>8,}{duration(loss.seconds):>13}{loss.share:>7.0%}  ", ""),
            ("█" * full, "warn"),
            ("░" * (_BAR - full), "dim"),
        ]


def header(width: int) -> Line:
    """The names of the columns."""
    return [
        (fitted(" reason", _name_room(width)), ""),
        (f"{'clips':>8}{'time':>13}{'share':>7}  of all speech", ""),
    ]


def _name_room(width: int) -> int:
    return max(20, min(40, width - 46))
