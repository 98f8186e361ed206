"""From recordings to a dataset, resumable: what was done for a recording is not done again."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing

from engine import jobs, lock
from engine.audio.decode import SUFFIXES
from engine.dataset import edits, names, sources
from engine.dataset.asr_models import Fetcher
from engine.dataset.assemble import Assembled, assemble
from engine.dataset.clips import Reason
from engine.dataset.cutting import CutSource
from engine.dataset.pulse import Pulse
from engine.dataset.recording import Recordings
from engine.dataset.sources import Source
from engine.dataset.tables import retract
from engine.errors import DatasetError, SourceError
from engine.events import (
    ClipDropped,
    DatasetWritten,
    Finished,
    Note,
    SourceFailed,
    SourcePrepared,
    Stage,
    Warned,
)
from engine.jobs import Job
from engine.project import FILE_NAME, Project
from engine.session import Session
from engine.text import clean

# The least that the XTTS fine-tuning guide asks for.
_LITTLE_SECONDS = 180


def session(project: Project, fetch: Fetcher | None = None) -> Session:
    """A session that prepares a project, holding its lock. Raises BusyError.

    `fetch` gets a speech recognition model that is not on this machine.
    """
    with ExitStack() as held:
        held.enter_context(lock.hold(project.folder, "prepare"))
        job = Job(jobs.new_folder(project.jobs_dir, "prepare"), "prepare")
        return Session(job, lambda job: prepare(project, job, fetch), held.pop_all())


def prepare(project: Project, job: Job, fetch: Fetcher | None = None) -> Finished:
    """Make the dataset of a project; call it while holding the project's lock.

    Raises SourceError when no recording can be used, DatasetError when no clip can be kept,
    BaseModelError when the base is not on this machine, TranscriptionError, and StopRequested,
    after which the next run goes on where this one stopped.
    """
    pulse = Pulse(job)
    with closing(Recordings(project, job, pulse, fetch)) as recordings:
        used, failures, duplicates = _find(project, job, pulse)
        results, fresh = _cut_all(job, pulse, recordings, used, failures)
        if not results:
            raise _nothing(project, failures)
        job.emit(Stage("dataset"))
        folder = project.dataset_dir
        # People may edit until here; what they did is carried over to the new clips.
        with edits.hold_soon(folder, "prepare", pulse.check):
            recordings.place([source for source, _ in results], lambda: retract(folder))
            made = assemble(project, results, failed=len(failures), duplicates=duplicates)
            recordings.forget_others()
    _tell_unused(job, made, fresh)
    _warn(job, made)
    job.emit(DatasetWritten(made.totals))
    if not made.totals["kept_clips"]:
        raise _nothing_kept(project, made)
    return Finished({key: made.totals[key] for key in ("train_clips", "eval_clips")})


def _find(project: Project, job: Job, pulse: Pulse) -> tuple[list[Source], list[str], int]:
    """The recordings to use, what is wrong with others, and how many are the same as another."""
    listing = sources.find(project)
    job.emit(Stage("find", len(listing.files), "recordings"))
    done = 0

    def hashed(size: int) -> None:
        nonlocal done
        done += size
        pulse.progress("find", done / 1e6, 0, "MB", "")

    found, unreadable = sources.identify(listing.files, project, hashed)
    problems = [*listing.problems, *unreadable]
    for problem in problems:
        job.emit(SourceFailed(clean(str(problem.path)), problem.message))
    used, doubles = sources.unique(found)
    for left_out, first in doubles:
        text = f"{clean(left_out.name)} is the same recording as {clean(first.name)}; used once."
        job.emit(Note("duplicate_source", text))
    return used, [problem.message for problem in problems], len(doubles)


def _cut_all(
    job: Job,
    pulse: Pulse,
    recordings: Recordings,
    used: list[Source],
    failures: list[str],
) -> tuple[list[tuple[Source, CutSource]], set[str]]:
    """What each recording gave, and the hashes of those that were cut just now.

    `failures` gets what is wrong with those that cannot be read.
    """
    stems = names.stems(used)
    results = []
    fresh = set()
    job.emit(Stage("recordings", len(used), "recordings"))
    for number, source in enumerate(used):
        pulse.progress("recordings", number, len(used), "recordings", clean(source.name))
        stem = stems[source.sha256]
        cut = recordings.known(source, stem)
        if cut is None:
            fresh.add(source.sha256)
            try:
                cut = recordings.cut(source, stem)
            except SourceError as error:
                failures.append(str(error))
                job.emit(SourceFailed(clean(source.name), str(error)))
                continue
        results.append((source, cut))
        _tell(job, source, cut, cached=source.sha256 not in fresh)
    return results, fresh


def _tell(job: Job, source: Source, cut: CutSource, *, cached: bool) -> None:
    shown = clean(source.name)
    for clip in [] if cached else cut.dropped:
        job.emit(ClipDropped(clip.id, shown, clip.start, clip.end, clip.reason))
    kept, dropped = len(cut.kept), len(cut.dropped)
    seconds, speech = round(cut.seconds, 2), round(cut.speech_seconds, 2)
    job.emit(SourcePrepared(shown, seconds, speech, kept, dropped, cached))


def _tell_unused(job: Job, made: Assembled, fresh: set[str]) -> None:
    """Tell of the clips that the split left out; the others were told with their recording."""
    for clip in made.clips:
        if clip.reason == Reason.BETWEEN_SPLITS and clip.source.sha256 in fresh:
            shown = clean(clip.source.path)
            job.emit(ClipDropped(clip.id, shown, clip.start, clip.end, clip.reason))


def _warn(job: Job, made: Assembled) -> None:
    unknown = made.totals["unknown_characters"]
    if unknown:
        listed = " ".join(clean(character) for character in unknown)
        job.emit(
            Warned(
                "unknown_characters",
                f"The base's vocabulary does not know: {listed}",
                "Clips whose text holds one of them are dropped, since it could not be learned.",
                "Take a base that knows the language, or recordings without such words.",
            )
        )
    if made.orphans:
        job.emit(
            Warned(
                "orphaned_edits",
                f"{len(made.orphans)} edits belong to clips that are not there any more.",
                "Their recordings are gone, or are cut at other places now.",
                "Nothing is lost: they apply again when such clips come back. "
                "Look through the new clips of these recordings.",
            )
        )
    if made.damaged:
        job.emit(
            Warned(
                "damaged_edits",
                f"{made.damaged} lines of {edits.FILE_NAME} cannot be read.",
                "The edits in them were passed over; all others were applied.",
                "Look for clips that you have edited and that are as they were, and check the disk.",
            )
        )
    seconds = made.totals["kept_seconds"]
    if 0 < seconds < _LITTLE_SECONDS:
        job.emit(
            Warned(
                "little_speech",
                f"The clips hold {seconds:.0f} s of speech.",
                "Three minutes are the least for a voice, five and more are better.",
                "Add recordings of the same person and run 'voicetui prepare' again.",
            )
        )
    if made.split_moved:
        job.emit(
            Warned(
                "split_moved",
                "Nothing that was held out before is among the recordings any more.",
                "Other speech is held out now; a run that goes on has learned from it already.",
                "Start a new run for losses that can be trusted: 'voicetui train --fresh'.",
            )
        )


def _nothing(project: Project, failures: list[str]) -> SourceError:
    shown = clean(str(project.folder))
    if failures:
        more = f" ({len(failures) - 1} more like it.)" if len(failures) > 1 else ""
        return SourceError(f"No recording of {shown} can be used. {failures[0]}{more}")
    places = ", ".join(clean(source) for source in project.sources) or "its sources: it has none"
    kinds = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
    return SourceError(
        f"{shown} has no recordings in {places}. Put some there, or name others in its "
        f"{FILE_NAME}. Recordings are {kinds}."
    )


def _nothing_kept(project: Project, made: Assembled) -> DatasetError:
    counts = Counter(clip.reason for clip in made.clips)
    if not counts:
        return DatasetError(
            f"Nobody speaks in the recordings of {clean(str(project.folder))}. "
            "Check that they are the right ones, and loud enough."
        )
    reason, count = counts.most_common(1)[0]
    return DatasetError(
        f"None of the {len(made.clips)} clips of {clean(str(project.folder))} can be kept; "
        f"{count} for this reason: {Reason(reason).words}. Each stands in dataset/clips.jsonl."
    )
