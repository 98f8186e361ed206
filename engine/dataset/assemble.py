"""The files of a dataset, written from what its recordings gave."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.audio.speech import Span
from engine.dataset import accounting, clips, metadata, split, summary
from engine.dataset.accounting import Recording
from engine.dataset.clips import Clip, Reason
from engine.dataset.cutting import CutSource
from engine.dataset.derive import Rebased, rebase
from engine.dataset.edits import Fields, Journal
from engine.dataset.sources import Source
from engine.dataset.statistics import Statistics, statistics_of
from engine.dataset.tables import retract, write_changed, write_others
from engine.files import sweep
from engine.project import Project

_OUR_WAV = re.compile(r".+_\d{8}\.wav")


@dataclass(frozen=True)
class Assembled:
    """A written dataset: its clips, totals and figures, and whether old clips changed their set.

    `orphans` are the edits of clips that are not there any more, `damaged` counts lines of the
    journal that cannot be read.
    """

    clips: list[Clip]
    totals: dict[str, Any]
    figures: Statistics
    split_moved: bool
    orphans: list[Fields]
    damaged: int


def assemble(
    project: Project,
    results: Sequence[tuple[Source, CutSource]],
    outside: Sequence[Recording],
) -> Assembled:
    """Split the clips into sets, carry a person's edits over, and write the tables.

    `outside` are the files that gave no clips: duplicates and what cannot be read. Files that would
    not change are left alone. Call it while holding the dataset (`edits.hold`). Raises
    DiskFullError.
    """
    folder = project.dataset_dir
    for swept in (folder, folder / "wavs"):
        sweep(swept)
    before = split.load(folder)
    usable = {
        source.sha256: [Span(clip.start, clip.end) for clip in cut.kept] for source, cut in results
    }
    decisions = split.decide(usable, before, project.settings.dataset.eval_share)
    if decisions != before:
        split.save(folder, decisions)
    alone = sum(map(bool, usable.values())) == 1
    fresh = [
        clip
        for source, cut in results
        for clip in _placed(project, cut, decisions.get(source.sha256, split.NOTHING), alone=alone)
    ]
    journal = Journal(folder)
    rebased = rebase(fresh, journal, folder)
    listed = rebased.clips
    recordings = [accounting.used(source, cut) for source, cut in results]
    recordings = accounting.accounted(
        sorted([*recordings, *outside], key=lambda each: each.path), listed
    )
    unknown = dict(sum((cut.unknown for _, cut in results), Counter()).most_common())
    figures = statistics_of(listed, recordings, unknown)
    totals = summary.summarise(
        listed,
        recordings,
        speech_seconds=sum(cut.speech_seconds for _, cut in results),
        unknown=unknown,
        orphans=len(rebased.orphans),
    ) | summary.of_statistics(figures)
    try:
        _write(project, rebased, journal, recordings, totals)
    finally:
        journal.close()
    _remove_orphans(folder, {clip.wav for clip in (*fresh, *listed)}, journal)
    moved = any(decisions[sha256] != held for sha256, held in before.items())
    return Assembled(listed, totals, figures, moved, rebased.orphans, journal.damaged)


def _placed(
    project: Project, cut: CutSource, held_out: split.HeldOut, *, alone: bool
) -> list[Clip]:
    """The clips of a source with their speaker and their side of the split."""
    kept = cut.kept
    places = split.sides([Span(clip.start, clip.end) for clip in kept], held_out, alone=alone)
    by_id = {clip.id: place for clip, place in zip(kept, places, strict=True)}
    placed = []
    for clip in cut.clips:
        clip = replace(clip, speaker=project.name, split=by_id.get(clip.id, ""))
        if clip.state != "dropped" and not clip.split:
            # The wav stays, so that a later change of the split needs no new cut.
            clip = replace(clip, state="dropped", reason=Reason.BETWEEN_SPLITS.value)
        placed.append(clip)
    return placed


def _write(
    project: Project,
    rebased: Rebased,
    journal: Journal,
    recordings: Sequence[Recording],
    totals: dict[str, Any],
) -> None:
    folder = project.dataset_dir
    table = folder / clips.FILE_NAME
    content = clips.encode(rebased.clips)
    news = rebased.news(journal)
    same = table.is_file() and table.read_bytes() == content
    if journal.size and not (same and not news and list(journal.orphans) == rebased.orphans):
        # The journal and the table may not speak of different clips at any moment.
        retract(folder)
        journal.prepared(news, rebased.orphans)
    write_changed(folder / metadata.LANGUAGE_NAME, f"{project.language}\n".encode())
    write_others(folder, rebased.clips, recordings, totals)
    write_changed(table, content)


def _remove_orphans(folder: Path, wanted: set[str], journal: Journal) -> None:
    """Remove wavs that no clip and no edit names any more; what is not named as ours stays."""
    wanted = wanted.union(*(form.wavs for form in journal.forms()))
    wavs = folder / "wavs"
    for path in wavs.iterdir() if wavs.is_dir() else ():
        if _OUR_WAV.fullmatch(path.name) and f"wavs/{path.name}" not in wanted:
            path.unlink()
