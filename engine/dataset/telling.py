"""What a preparation tells of its recordings and of the dataset they became, as events."""

from __future__ import annotations

from collections.abc import Iterable

from engine.dataset import edits
from engine.dataset.assemble import Assembled
from engine.dataset.clips import Reason
from engine.dataset.cutting import CutSource
from engine.dataset.findings.finding import Finding, worth_mending
from engine.dataset.sources import Source, doubts
from engine.events import (
    AudioStatistics,
    ClipDropped,
    ClipExtended,
    Event,
    Note,
    Samples,
    Segmented,
    SourcePrepared,
    Warned,
)
from engine.jobs import Job
from engine.text import clean


def tell_recording(job: Job, source: Source, cut: CutSource, *, cached: bool) -> None:
    """What a recording gave; of one that was cut before only the result."""
    shown = clean(source.name)
    for event in [] if cached else _cut(shown, cut):
        job.emit(event)
    kept, dropped = len(cut.kept), len(cut.dropped)
    seconds, speech = round(cut.seconds, 2), round(cut.speech_seconds, 2)
    job.emit(SourcePrepared(shown, seconds, speech, kept, dropped, cached))


def _cut(shown: str, cut: CutSource) -> list[Event]:
    found = cut.pieces
    average = sum(clip.seconds for clip in cut.clips) / max(1, len(cut.clips))
    told: list[Event] = [
        Segmented(
            shown,
            found.spans,
            found.pieces,
            found.merged,
            len(found.extended),
            found.too_short,
            found.too_long,
            round(average, 2),
        )
    ]
    told += [ClipExtended(shown, *piece) for piece in found.extended]
    told += [ClipDropped(clip.id, shown, clip.start, clip.end, clip.reason) for clip in cut.dropped]
    return told


def tell_doubts(job: Job, used: Iterable[Source]) -> None:
    """Which of the recordings that are used may not be whole or right."""
    for problem in doubts(used):
        job.emit(
            Warned(
                "doubtful_source",
                f"{clean(str(problem.path))} is doubtful: {problem.message}.",
                "It is used as far as it can be read.",
                "Listen to its end and its speed; copy or convert it again where they are wrong.",
            )
        )


def tell_dataset(job: Job, made: Assembled, fresh: set[str]) -> None:
    """What the clips are like, and what to mend first; `fresh` recordings were cut just now."""
    for clip in made.clips:
        # The others were told with their recording.
        if clip.reason == Reason.BETWEEN_SPLITS and clip.source.sha256 in fresh:
            shown = clean(clip.source.path)
            job.emit(ClipDropped(clip.id, shown, clip.start, clip.end, clip.reason))
    totals = made.totals
    job.emit(
        AudioStatistics(
            totals["kept_clips"],
            totals["average_seconds"],
            totals["too_short_pieces"],
            totals["too_long_pieces"],
        )
    )
    job.emit(
        Samples(
            totals["train_clips"],
            totals["eval_clips"],
            totals["train_seconds"],
            totals["eval_seconds"],
        )
    )
    for finding in worth_mending(made.figures.findings):
        job.emit(_of_finding(finding))
    for warning in _of_edits(made):
        job.emit(warning)


def _of_finding(finding: Finding) -> Event:
    """A finding as an event: a warning where it concerns, a note where it is worth a look."""
    code = finding.name.replace(" ", "_")
    if finding.level == "concern":
        return Warned(code, _sentence(finding.seen), finding.means, finding.advice)
    told = f"{finding.name}: {finding.seen}. {finding.means} {finding.advice}"
    return Note(code, told.strip())


def _sentence(seen: str) -> str:
    return f"{seen[:1].upper()}{seen[1:]}."


def _of_edits(made: Assembled) -> list[Warned]:
    """What became of a person's edits, and of what was held out."""
    told = []
    if made.orphans:
        told.append(
            Warned(
                "orphaned_edits",
                f"{len(made.orphans)} edits belong to clips that are not there any more.",
                "Their recordings are gone, or are cut at other places now.",
                "Nothing is lost: they apply again when such clips come back. "
                "Look through the new clips of these recordings.",
            )
        )
    if made.damaged:
        told.append(
            Warned(
                "damaged_edits",
                f"{made.damaged} lines of {edits.FILE_NAME} cannot be read.",
                "The edits in them were passed over; all others were applied.",
                "Look for clips that you have edited and that are as they were, and check the disk.",
            )
        )
    if made.split_moved:
        told.append(
            Warned(
                "split_moved",
                "Nothing that was held out before is among the recordings any more.",
                "Other speech is held out now; a run that goes on has learned from it already.",
                "Start a new run for losses that can be trusted: 'voicetui train --fresh'.",
            )
        )
    return told
