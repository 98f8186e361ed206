"""From recordings to a dataset, resumable: what was done for a recording is not done again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path

from engine import jobs, lock
from engine.audio.decode import SUFFIXES
from engine.dataset import edits, names, sources
from engine.dataset.accounting import Recording
from engine.dataset.assemble import Assembled, assemble
from engine.dataset.clips import Reason
from engine.dataset.cutting import CutSource
from engine.dataset.hearing.asr_models import Fetcher
from engine.dataset.hearing.transcribe import Listener
from engine.dataset.pulse import Pulse
from engine.dataset.recording import Recordings
from engine.dataset.sources import Source
from engine.dataset.tables import retract
from engine.dataset.telling import tell_dataset, tell_doubts, tell_recording
from engine.dataset.voices import Voices
from engine.errors import DatasetError, SourceError
from engine.events import (
    DatasetWritten,
    Finished,
    Note,
    Output,
    SourceFailed,
    SourcesFound,
    Stage,
)
from engine.jobs import Job
from engine.project import FILE_NAME, Project
from engine.session import Session
from engine.text import clean


def session(project: Project, fetch: Fetcher | None = None) -> Session:
    """A session that prepares a project, holding its lock. Raises BusyError.

    `fetch` gets a speech recognition model that is not on this machine.
    """
    with ExitStack() as held:
        held.enter_context(lock.hold(project.folder, "prepare"))
        job = Job(jobs.new_folder(project.jobs_dir, "prepare"), "prepare")
        return Session(job, lambda job: prepare(project, job, fetch), held.pop_all())


def prepare(
    project: Project, job: Job, fetch: Fetcher | None = None, listener: Listener | None = None
) -> Finished:
    """Make the dataset of a project; call it while holding the project's lock.

    `fetch` gets a model that is not on this machine; a `listener` hears in place of any model.

    Raises SourceError when no recording can be used, DatasetError when no clip can be kept or when
    there is less speech than the setting min_minutes (the dataset is written all the same),
    BaseModelError when the base is not on this machine, TranscriptionError, and StopRequested,
    after which the next run goes on where this one stopped.
    """
    pulse = Pulse(job)
    folder = project.dataset_dir
    job.emit(Output(clean(str(folder))))
    with closing(Recordings(project, job, pulse, fetch, listener)) as recordings:
        voices = Voices(project, job, pulse)
        used, outside = _find(project, job, pulse)
        stems = names.stems(used)
        results, fresh = _cut_all(job, pulse, recordings, used, stems, outside)
        tell_doubts(job, [source for source, _ in results])
        recordings.tell_unused_texts()
        if not results:
            raise _nothing(project, outside)
        results = voices.judge(
            results, lambda source: recordings.wav_folders(source, stems[source.sha256])
        )
        job.emit(Stage("dataset"))
        # People may edit until here; what they did is carried over to the new clips.
        with edits.hold_soon(folder, "prepare", pulse.check):
            recordings.place([source for source, _ in results], lambda: retract(folder))
            made = assemble(project, results, outside)
            recordings.forget_others()
        recordings.memory.tell("dataset")
    tell_dataset(job, made, fresh)
    job.emit(DatasetWritten(made.totals))
    _refuse_little(project, made)
    return Finished({key: made.totals[key] for key in ("train_clips", "eval_clips")})


def _find(project: Project, job: Job, pulse: Pulse) -> tuple[list[Source], list[Recording]]:
    """The recordings to use, and the files that are not: the same as another, or unreadable."""
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
    outside = [
        _failed(problem.path, sources.name_in(project, problem.path), "", problem.message)
        for problem in problems
    ]
    outside += [
        Recording(left_out.name, left_out.sha256, "duplicate", same_as=first.name)
        for left_out, first in doubles
    ]
    told = Counter(each.state for each in outside)
    job.emit(SourcesFound(len(listing.files), len(used), told["duplicate"], told["failed"]))
    for left_out, first in doubles:
        text = f"{clean(left_out.name)} is the same recording as {clean(first.name)}; used once."
        job.emit(Note("duplicate_source", text))
    return used, outside


def _failed(path: Path, name: str, sha256: str, message: str) -> Recording:
    """A file that cannot be used; what is said of it holds also where the project is moved to."""
    told = message.replace(clean(str(path)), clean(name))
    return Recording(name, sha256, "failed", message=told)


def _cut_all(
    job: Job,
    pulse: Pulse,
    recordings: Recordings,
    used: list[Source],
    stems: Mapping[str, str],
    outside: list[Recording],
) -> tuple[list[tuple[Source, CutSource]], set[str]]:
    """What each recording gave, and the hashes of those that were cut just now.

    `stems` begin the names of a recording's wavs, by its hash; `outside` gets those that cannot be
    read.
    """
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
                outside.append(_failed(source.path, source.name, source.sha256, str(error)))
                job.emit(SourceFailed(clean(source.name), str(error)))
                continue
        results.append((source, cut))
        tell_recording(job, source, cut, cached=source.sha256 not in fresh)
    return results, fresh


def _refuse_little(project: Project, made: Assembled) -> None:
    """Raise DatasetError when there is too little speech to make a voice of."""
    if not made.totals["kept_clips"]:
        raise _nothing_kept(project, made)
    least = project.settings.dataset.min_minutes
    seconds = made.totals["kept_seconds"]
    if seconds < 60 * least:
        raise DatasetError(
            f"{clean(str(project.folder))} has {seconds / 60:.1f} min of speech; a voice needs "
            f"{least:g} min at least. Its clips can be looked at. Add recordings of the same person "
            "and prepare again, or take it as it is with --set dataset.min_minutes=0."
        )


def _nothing(project: Project, outside: list[Recording]) -> SourceError:
    shown = clean(str(project.folder))
    failures = [each.message for each in outside if each.state == "failed"]
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
