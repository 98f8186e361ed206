"""The files of a dataset, written from what its recordings gave."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.audio.speech import Span
from engine.dataset import clips, metadata, split, summary
from engine.dataset.clips import Clip, Reason
from engine.dataset.cutting import CutSource
from engine.dataset.sources import Source
from engine.files import sweep, write_bytes, write_json
from engine.project import Project

_OUR_WAV = re.compile(r".+_\d{8}\.wav")
SPLITS = ("train", "eval")


@dataclass(frozen=True)
class Assembled:
    """A written dataset: all its clips, its totals, and whether old clips changed their set."""

    clips: list[Clip]
    totals: dict[str, Any]
    split_moved: bool


def retract(project: Project) -> None:
    """Take the tables away before wavs that they name are written over.

    Whoever reads the dataset of a run that was killed then finds none, instead of a wrong one.
    """
    for name in (clips.FILE_NAME, summary.FILE_NAME, *(metadata.file_name(s) for s in SPLITS)):
        (project.dataset_dir / name).unlink(missing_ok=True)


def assemble(
    project: Project,
    results: Sequence[tuple[Source, CutSource]],
    *,
    failed: int,
    duplicates: int,
) -> Assembled:
    """Split the clips into sets and write the tables; files that would not change are left alone.

    Raises DiskFullError.
    """
    folder = project.dataset_dir
    sweep(folder)
    before = split.load(folder)
    usable = {
        source.sha256: [Span(clip.start, clip.end) for clip in cut.kept] for source, cut in results
    }
    decisions = split.decide(usable, before, project.settings.dataset.eval_share)
    if decisions != before:
        split.save(folder, decisions)
    listed = [
        clip
        for source, cut in results
        for clip in _placed(project, cut, decisions.get(source.sha256, split.NOTHING))
    ]
    totals = summary.summarise(
        listed,
        seconds=sum(cut.seconds for _, cut in results),
        speech_seconds=sum(cut.speech_seconds for _, cut in results),
        sources=len(results),
        failed=failed,
        duplicates=duplicates,
        unknown=sum((cut.unknown for _, cut in results), Counter()),
    )
    _write(project, listed, totals)
    _remove_orphans(project, listed)
    moved = any(decisions[sha256] != held for sha256, held in before.items())
    return Assembled(listed, totals, moved)


def _placed(project: Project, cut: CutSource, held_out: split.HeldOut) -> list[Clip]:
    """The clips of a source with their speaker and their side of the split."""
    kept = cut.kept
    places = split.sides([Span(clip.start, clip.end) for clip in kept], held_out)
    by_id = {clip.id: place for clip, place in zip(kept, places, strict=True)}
    placed = []
    for clip in cut.clips:
        clip = replace(clip, speaker=project.name, split=by_id.get(clip.id, ""))
        if clip.state == "kept" and not clip.split:
            # The wav stays, so that a later change of the split needs no new cut.
            clip = replace(clip, state="dropped", reason=Reason.BETWEEN_SPLITS.value)
        placed.append(clip)
    return placed


def _write(project: Project, listed: list[Clip], totals: dict[str, Any]) -> None:
    folder = project.dataset_dir
    contents = {name: metadata.table(listed, name).encode() for name in SPLITS}
    files = {metadata.file_name(name): content for name, content in contents.items()}
    files[metadata.LANGUAGE_NAME] = f"{project.language}\n".encode()
    # Last, because it is what training reads.
    files[clips.FILE_NAME] = clips.encode(listed)
    for name, content in files.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            write_bytes(path, content)
    write_json(folder / summary.FILE_NAME, totals)


def _remove_orphans(project: Project, listed: list[Clip]) -> None:
    """Remove wavs that no clip names any more; files that are not named as ours stay."""
    wanted = {clip.wav for clip in listed}
    folder = project.dataset_dir / "wavs"
    for path in folder.iterdir() if folder.is_dir() else ():
        if _OUR_WAV.fullmatch(path.name) and f"wavs/{path.name}" not in wanted:
            path.unlink()
