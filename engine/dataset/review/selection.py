"""Which clips of a review are shown, and in which order; quick for 50,000 of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

from engine.dataset.review.rows import Row

Filter = Literal["all", "kept", "dropped", "suspect", "edited", "eval", "train"]
FILTERS: tuple[Filter, ...] = get_args(Filter)

_FIELDS: dict[str, Callable[[Row], Any]] = {
    "score": lambda row: row.score,
    "seconds": lambda row: row.end - row.start,
    "text": lambda row: row.text.casefold(),
    "state": lambda row: row.state,
    "reason": lambda row: row.reason or None,
    "split": lambda row: row.split or None,
    "edited": lambda row: row.edited or None,
    "source": lambda row: row.source.path,
    "start": lambda row: row.start,
    "id": lambda row: row.id,
    "rate": lambda row: row.rate if row.text else None,
    "agreement": lambda row: row.agreement,
}


def columns(rows: Sequence[Row]) -> tuple[str, ...]:
    """What rows can be sorted by: fields, then the scores that any of them has."""
    names = {names for row in rows if (names := row.names)}
    return (*_FIELDS, *sorted({name for group in names for name in group}))


def counts(rows: Sequence[Row]) -> dict[Filter, int]:
    """How many rows each filter shows."""
    return {name: sum(1 for _ in _filtered(rows, name)) for name in FILTERS}


class Finder:
    """Filters, searches and sorts; remembers the texts in the form that is searched."""

    def __init__(self) -> None:
        self._folded: dict[str, tuple[str, str]] = {}

    def find(
        self, rows: Sequence[Row], chosen: Filter, search: str, sort: str, descending: bool
    ) -> list[int]:
        """The places of the rows, see `Review.rows`. Rows without a value come last."""
        places = list(_filtered(rows, chosen))
        if wanted := search.casefold().strip():
            places = self._holding(rows, places, wanted)
        if not sort:
            return places[::-1] if descending else places
        values = _values(rows, places, sort)
        known = [place for place in places if values[place] is not None]
        known.sort(key=values.__getitem__, reverse=descending)
        return known + [place for place in places if values[place] is None]

    def _holding(self, rows: Sequence[Row], places: Sequence[int], wanted: str) -> list[int]:
        sources = {row.source for row in rows}
        named = {source for source in sources if wanted in source.path.casefold()}
        found = []
        for place in places:
            row = rows[place]
            if row.source in named or wanted in self._fold(row):
                found.append(place)
        return found

    def _fold(self, row: Row) -> str:
        text, folded = self._folded.get(row.id, ("", ""))
        if text is not row.text:
            folded = row.text.casefold()
            self._folded[row.id] = (row.text, folded)
        return folded


def _filtered(rows: Sequence[Row], chosen: Filter) -> Sequence[int]:
    if chosen == "all":
        return range(len(rows))
    if chosen == "edited":
        return [place for place, row in enumerate(rows) if row.edited]
    if chosen in ("eval", "train"):
        return [place for place, row in enumerate(rows) if row.split == chosen]
    return [place for place, row in enumerate(rows) if row.state == chosen]


def _values(rows: Sequence[Row], places: Sequence[int], sort: str) -> dict[int, Any]:
    if sort in _FIELDS:
        value = _FIELDS[sort]
        return {place: value(rows[place]) for place in places}
    return {
        place: rows[place].values[rows[place].names.index(sort)]
        for place in places
        if sort in rows[place].names
    } | {place: None for place in places if sort not in rows[place].names}
