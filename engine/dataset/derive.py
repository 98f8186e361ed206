"""The clips as they are: what preparation found, with a person's edits on it.

When recordings were prepared again, the edits are carried over to the new clips: a change to the
clip whose span overlaps the old one by half of the longer, a split or merge to the clips that lie
in its span. What finds no clip is an orphan; it stays in the journal and is tried again each time.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.dataset import clips
from engine.dataset.clips import Clip
from engine.dataset.edits import Change, Entry, Fields, Form, Journal, Patch, Swap, as_values

# What an edit may assign; `scores` key by key.
ASSIGNABLE = frozenset({"text", "split", "state", "reason", "edited", "scores"})
# The fields whose names `edited` holds when a person assigned them.
PERSONAL = ("text", "split", "state")
# As `engine.dataset.judge` writes them.
USUAL_SCORES = ("confidence", "tokens", "logprob", "no_speech", "compression")
# A text that moved to a clip with other borders should be looked at.
_MOST_SHIFT = 0.3


def current(folder: Path) -> list[Clip]:
    """The clips of a dataset folder with all edits, also when its table lags. Raises DatasetError."""
    while True:
        journal = Journal(folder)
        listed = clips.read(folder)
        # Both of the same moment: a console may write while this reads.
        if not journal.grown():
            break
    if not listed:
        return []
    rows = {clip.id: clip for clip in listed}
    swapped = False
    for patch in journal.tail():
        apply(rows, patch)
        swapped = swapped or bool(patch.remove or patch.add)
    return _in_order(rows.values(), listed) if swapped else list(rows.values())


def apply(rows: dict[str, Clip], patch: Patch) -> None:
    """Do to clips by id what a patch says; clips that are not there are passed over."""
    for identifier in patch.remove:
        rows.pop(identifier, None)
    for row in patch.add:
        rows[row["id"]] = clips.from_row(dict(row))
    for identifier, fields in patch.assign:
        if identifier in rows:
            rows[identifier] = assigned(rows[identifier], fields)


def assigned(clip: Clip, fields: Fields) -> Clip:
    """The clip with some fields changed."""
    values = {name: value for name, value in fields.items() if name in ASSIGNABLE}
    if "edited" in values:
        values["edited"] = tuple(values["edited"])
    if "scores" in values:
        values["scores"] = merged(clip.scores, values["scores"])
    return replace(clip, **values)


def merged(scores: Mapping[str, float], changed: Mapping[str, float | None]) -> dict[str, float]:
    """Scores with some changed, in the usual order; None takes one away."""
    found = {**scores, **changed}
    # An edit that was taken back must leave the line as it was.
    names = [name for name in USUAL_SCORES if name in found]
    names += sorted(found.keys() - set(names))
    return {name: value for name in names if (value := found[name]) is not None}


def mark(edited: Iterable[str], *names: str) -> list[str]:
    """The names of edited fields with some more, in a stable order."""
    return sorted({*edited, *names})


def _in_order(rows: Iterable[Clip], like: Iterable[Clip]) -> list[Clip]:
    """Clips by recording, in the order that those have in `like`, and time."""
    ranks: dict[str, int] = {}
    for clip in like:
        ranks.setdefault(clip.source.sha256, len(ranks))
    return sorted(rows, key=lambda clip: (ranks[clip.source.sha256], clip.start))


@dataclass(frozen=True)
class Rebased:
    """New clips with the edits on them, the forms that these took, and what found no clip."""

    clips: list[Clip]
    forms: dict[int, Form]
    orphans: list[Fields]

    def news(self, journal: Journal) -> dict[int, Form]:
        """The forms that are not in the journal yet."""
        entries = {entry.seq: entry for entry in (*journal.done, *journal.undone)}
        return {
            seq: form
            for seq, form in self.forms.items()
            if _flat(form) != _flat(journal.form(entries[seq]))
        }


def _flat(form: Form) -> str:
    return json.dumps(as_values(form))


def rebase(listed: Sequence[Clip], journal: Journal, folder: Path) -> Rebased:
    """Carry the edits of a journal over to newly prepared clips; `folder` holds their wavs.

    Undone edits get their form too, since they may be done again.
    """
    fresh = _Fresh(listed, folder)
    forms: dict[int, Form] = {}
    orphans: list[Fields] = []
    for entry in journal.done:
        forms[entry.seq], lost = fresh.take(journal.original(entry))
        orphans += [_told(entry, change) for change in lost]
    clips_now = fresh.listed()
    for entry in reversed(journal.undone):
        forms[entry.seq], _ = fresh.take(journal.original(entry))
    return Rebased(clips_now, forms, orphans)


@dataclass(frozen=True)
class _Lost:
    """A clip that an edit was made on, and that is not there."""

    id: str
    source: Fields
    start: float
    end: float


def _told(entry: Entry, lost: _Lost) -> Fields:
    return {"of": entry.seq, "label": entry.label, **vars(lost)}


class _Fresh:
    """Newly prepared clips, on which edits are done one after the other."""

    def __init__(self, listed: Sequence[Clip], folder: Path) -> None:
        self._first = listed
        self._folder = folder
        self._rows = {clip.id: clip for clip in listed}
        self._by_source: dict[str, list[Clip]] = {}
        for clip in sorted(listed, key=lambda clip: clip.start):
            self._by_source.setdefault(clip.source.sha256, []).append(clip)
        # Clips that an orphaned edit made: what was done to them has no clip either.
        self._ghosts: set[str] = set()

    def listed(self) -> list[Clip]:
        return _in_order(self._rows.values(), self._first)

    def take(self, form: Form) -> tuple[Form, list[_Lost]]:
        """Do an edit as far as its clips are there; its form now, and what is not there."""
        lost: list[_Lost] = []
        swaps: list[Swap] = []
        changes: list[Change] = []
        for swap in form.swaps:
            if found := self._swap(swap):
                swaps.append(found)
            else:
                self._ghosts |= {row["id"] for row in swap.added}
                lost += [
                    _Lost(row["id"], row["source"], row["start"], row["end"])
                    for row in swap.removed
                ]
        for change in form.changes:
            if moved := self._change(change):
                changes.append(moved)
            else:
                source = {"sha256": change.source}
                lost.append(_Lost(change.id, source, change.start, change.end))
        return Form(tuple(changes), tuple(swaps)), lost

    def _change(self, change: Change) -> Change | None:
        row = None if change.id in self._ghosts else self._match(change)
        if row is None:
            return None
        after = _carried(change, row)
        now = assigned(row, after)
        # A clip without audio cannot be kept, and one that is dropped has no set.
        if now.split if now.state == "dropped" else not now.wav:
            return None
        self._rows[row.id] = now
        before = {name: _plain(row, name, after) for name in after}
        return Change(row.id, row.source.sha256, row.start, row.end, before, after)

    def _swap(self, swap: Swap) -> Swap | None:
        if self._ghosts & {row["id"] for row in swap.removed} or not self._has_wavs(swap.added):
            return None
        sha256 = swap.removed[0]["source"]["sha256"]
        start = min(row["start"] for row in swap.removed)
        end = max(row["end"] for row in swap.removed)
        inside = [
            clip
            for clip in self._around(sha256, start, end)
            if _overlap(clip.start, clip.end, start, end) >= clip.seconds / 2
        ]
        if not inside:
            return None
        hull = min(clip.start for clip in inside), max(clip.end for clip in inside)
        if not _alike(*hull, start, end):
            return None
        like = inside[0]
        added = tuple(
            replace(
                clips.from_row(dict(row)),
                source=like.source,
                speaker=like.speaker,
                language=like.language,
            )
            for row in swap.added
        )
        gone = {clip.id: clip for clip in inside}
        # A clip of the same id would vanish without a way back.
        gone |= {clip.id: self._rows[clip.id] for clip in added if clip.id in self._rows}
        for identifier in gone:
            del self._rows[identifier]
        self._rows |= {clip.id: clip for clip in added}
        self._ghosts -= {clip.id for clip in added}
        own = [clip for clip in self._by_source[sha256] if clip.id not in gone]
        self._by_source[sha256] = sorted([*own, *added], key=lambda clip: clip.start)
        return Swap(
            tuple(clips.as_row(clip) for clip in gone.values()),
            tuple(clips.as_row(clip) for clip in added),
        )

    def _has_wavs(self, rows: Iterable[Fields]) -> bool:
        return all((self._folder / row["wav"]).is_file() for row in rows if row["wav"])

    def _match(self, change: Change) -> Clip | None:
        """The clip with the same id, else the one that overlaps most, if by half of the longer."""
        span = change.start, change.end
        same = self._rows.get(change.id)
        near = self._around(change.source, *span)
        alike = [
            clip
            for clip in ([same, *near] if same else near)
            if clip.source.sha256 == change.source and _alike(clip.start, clip.end, *span)
        ]
        if same in alike:
            return same
        return max(alike, key=lambda clip: _overlap(clip.start, clip.end, *span), default=None)

    def _around(self, sha256: str, start: float, end: float) -> list[Clip]:
        """The clips of a recording that may overlap a span by half of the longer."""
        own = self._by_source.get(sha256, [])
        # No clip that does can be more than twice as long as the span.
        first = bisect_left(own, start - 2 * (end - start), key=lambda clip: clip.start)
        last = bisect_left(own, end, key=lambda clip: clip.start)
        return [self._rows[clip.id] for clip in own[first:last]]


def _carried(change: Change, row: Clip) -> dict[str, Any]:
    """The fields that a change assigns to the clip that it was carried over to."""
    after = dict(change.after)
    if "edited" in after:
        added = {name for name in PERSONAL if name in after and name in after["edited"]}
        taken = set(change.before.get("edited", ())) - set(after["edited"])
        after["edited"] = mark({*row.edited, *added} - taken)
    shifted = max(abs(row.start - change.start), abs(row.end - change.end)) > _MOST_SHIFT
    if shifted and "text" in after and "state" not in after and row.state == "kept":
        after["state"] = "suspect"
    return after


def _plain(clip: Clip, name: str, after: Fields) -> Any:
    """What a clip has where `after` assigns something, as JSON value."""
    if name == "scores":
        return {key: clip.scores.get(key) for key in after["scores"]}
    value = getattr(clip, name)
    return list(value) if isinstance(value, tuple) else value


def _overlap(start: float, end: float, other_start: float, other_end: float) -> float:
    return max(0.0, min(end, other_end) - max(start, other_start))


def _alike(start: float, end: float, other_start: float, other_end: float) -> bool:
    """Whether two spans overlap by at least half of the longer."""
    longer = max(end - start, other_end - other_start)
    return _overlap(start, end, other_start, other_end) >= longer / 2
