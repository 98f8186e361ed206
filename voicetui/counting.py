"""Counts what recordings hold, in a helper thread, while a person goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from voicetui.helper import Helper

if TYPE_CHECKING:
    from engine.dataset.survey import Survey, Totals


class Counting:
    """`totals` are the newest, None before the first; headers that were read are remembered."""

    def __init__(self) -> None:
        self.totals: Totals | None = None
        self._survey: Survey | None = None
        self._helper: Helper[None] | None = None
        self._sources: tuple[str, ...] | None = None

    def begin(self, sources: Sequence[str], folder: Path) -> None:
        """Count these sources of the project in a folder, unless that is done already."""
        wanted = tuple(sources)
        if wanted == self._sources:
            return
        self.stop()
        self._sources = wanted
        self.totals = None
        self._helper = Helper("count", lambda check: self._count(wanted, folder, check))

    def _count(self, sources: tuple[str, ...], folder: Path, check: Callable[[], None]) -> None:
        from engine.dataset.survey import Survey

        self._survey = self._survey or Survey()
        for totals in self._survey.count([Path(source) for source in sources], folder, check):
            # Another count may have begun meanwhile.
            check()
            self.totals = totals

    @property
    def problem(self) -> str:
        """What ended it too early; "" when nothing did."""
        return "" if self._helper is None else self._helper.problem

    def stop(self) -> None:
        """Stop counting."""
        if self._helper is not None:
            self._helper.stop()
            self._helper = None
        self._sources = None
