"""Preparation as the console shows it: what its events add up to, and how one is begun."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import events
from engine.eventlog import Record

if TYPE_CHECKING:
    from engine.jobs import Job
    from engine.project import Project
    from engine.session import Session

KIND = "prepare"
# About what the models weigh, in bytes: the sizes of the repositories in
# `engine.dataset.hearing.whisper_fetch`.
_MODEL_BYTES = {
    "tiny": 78e6,
    "base": 148e6,
    "small": 486e6,
    "medium": 1.53e9,
    "large": 3.1e9,
    "turbo": 1.62e9,
    "distil": 1.5e9,
}
# What each stage of a recording does, in the order of the road.
STAGE_WORDS = {
    "find": "looking for recordings",
    "recordings": "recordings",
    "decode": "reading the audio",
    "levels": "measuring levels",
    "speech": "finding speech",
    "transcribe": "writing down what is said",
    "retranscribe": "hearing doubtful clips again",
    "cut": "cutting clips",
    "voices": "listening who speaks",
    "dataset": "making the train and eval set",
}


@dataclass(frozen=True)
class FileRow:
    """What a recording gave. Times are seconds; `message` is why it cannot be used."""

    name: str
    seconds: float = 0.0
    speech_seconds: float = 0.0
    kept: int = 0
    dropped: int = 0
    cached: bool = False
    working: bool = False
    message: str = ""

    @property
    def why(self) -> str:
        """The message without the name that it begins with."""
        return self.message.removeprefix(self.name).lstrip(" :")


@dataclass(frozen=True)
class Bar:
    """How far a stage is; a total of 0 is not known."""

    stage: str
    done: float
    total: float
    unit: str


@dataclass
class Preparation:
    """What the events of a preparation add up to. `seq` is the last one's number."""

    seq: int = 0
    files: dict[str, FileRow] = field(default_factory=dict)
    overall: Bar | None = None
    current: Bar | None = None
    item: str = ""
    model: events.AsrModel | None = None
    notes: list[str] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    totals: dict[str, Any] = field(default_factory=dict)
    begun_at: float = 0.0
    _pace: tuple[float, float] | None = None

    def take(self, records: Iterable[Record]) -> None:
        """Take events into account; those that were taken before are passed over."""
        for record in records:
            if record.seq > self.seq:
                self.seq = record.seq
                self._apply(record)

    def eta(self, now: float) -> float | None:
        """Seconds until all recordings are done, from the pace so far; None while not known."""
        bar = self.overall
        if bar is None or self._pace is None or bar.total <= 0:
            return None
        done = bar.done + self._share()
        begun_at, begun_with = self._pace
        if done - begun_with < 0.05 or now - begun_at < 2:
            return None
        return max(0.0, (bar.total - done) * (now - begun_at) / (done - begun_with))

    def _share(self) -> float:
        """How much of the present recording is done; nearly all of the time goes into its text."""
        bar = self.current
        if bar is None or bar.total <= 0:
            return 0.0
        order = {"transcribe": bar.done / bar.total, "retranscribe": 1.0, "cut": 1.0}
        return order.get(bar.stage, 0.0)

    def _apply(self, record: Record) -> None:
        match record.event:
            case events.Started():
                self.begun_at = record.t
            case events.Stage() as stage:
                bar = Bar(stage.name, 0.0, stage.total, stage.unit)
                self.current, self.item = None, ""
                self.overall = bar
            case events.Progress() as progress:
                self._progress(progress, record.t)
            case events.SourcePrepared() as made:
                if made.cached:
                    # What was known already says nothing about the pace.
                    self._pace = None
                self._file(
                    FileRow(
                        made.source,
                        made.seconds,
                        made.speech_seconds,
                        made.kept,
                        made.dropped,
                        cached=made.cached,
                    )
                )
            case events.SourceFailed() as failed:
                self._file(FileRow(failed.source, message=failed.message))
            case events.ClipDropped() as dropped:
                self.dropped[dropped.reason] += 1
            case events.AsrModel() as model:
                self.model = model
            case events.Note() as note:
                self.notes.append(note.text)
            case events.DatasetWritten() as written:
                self.totals = written.summary
            case events.Stopped() | events.Failed() | events.Finished():
                self._settle()

    def _progress(self, event: events.Progress, now: float) -> None:
        bar = Bar(event.stage, event.done, event.total, event.unit)
        if self.overall is not None and event.stage == self.overall.stage:
            self.overall, self.current = bar, None
        else:
            self.current = bar
        if event.item:
            self.item = event.item
            if event.item not in self.files:
                self.files[event.item] = FileRow(event.item, working=True)
        if self.overall is not None and self.overall.stage == "recordings" and self._pace is None:
            self._pace = (now, self.overall.done + self._share())

    def _file(self, row: FileRow) -> None:
        self.files[row.name] = row
        self.current, self.item = None, ""
        if self.overall is not None and self.overall.stage == "recordings":
            done = sum(not each.working for each in self.files.values())
            self.overall = replace(self.overall, done=max(self.overall.done, float(done)))

    def _settle(self) -> None:
        """Nothing is worked on any more."""
        self.current, self.item = None, ""
        self.files = {name: row for name, row in self.files.items() if not row.working}


def last_job(folder: Path) -> Path | None:
    """The newest preparation of a project that began."""
    from engine.jobs import LOG_NAME, job_folders

    begun = [
        job
        for job in job_folders(folder / "jobs")
        if job.name.endswith(f"-{KIND}") and (job / LOG_NAME).is_file()
    ]
    return begun[-1] if begun else None


def missing_model(project: Project) -> str:
    """The speech recognition model that must be fetched first; "" when one is on this machine.

    Takes a moment. Raises InputError for a setting that names no model.
    """
    from engine import languages
    from engine.dataset.hearing import asr_models

    wanted: list[str] = []

    def note(name: str, repository: str) -> Path:  # noqa: ARG001 - a Fetcher
        wanted.append(name)
        return Path()

    chosen = project.settings.dataset
    vram = 0 if chosen.asr_device == "cpu" else asr_models.gpu_bytes()
    language = languages.whisper_code(project.language)
    asr_models.resolve(chosen.asr_model, language, vram, note)
    return wanted[0] if wanted else ""


def model_bytes(name: str) -> float:
    """About what must be fetched for a speech recognition model, in bytes; 0 is not known."""
    plain = name.removesuffix(".en")
    if plain.endswith("turbo"):
        plain = "turbo"
    return _MODEL_BYTES.get(plain.partition("-")[0], 0.0)


def session(project: Project, *, may_fetch: bool) -> Session:
    """A session that prepares a project; it fetches a missing recogniser if it may.

    Raises BusyError when something else works on the project.
    """
    from engine.dataset import prepare

    def fetch(name: str, repository: str) -> Path:  # noqa: ARG001 - its name is enough
        return _fetch_model(made.job, name)

    made = prepare.session(project, fetch if may_fetch else None)
    return made


def _fetch_model(job: Job, name: str) -> Path:
    """Fetch a speech recognition model in the middle of a job."""
    from engine.dataset.hearing import whisper_fetch
    from engine.dataset.pulse import Pulse

    pulse = Pulse(job)

    def progress(done: int, total: int) -> None:
        pulse.progress(f"fetch {name}", done / 1e6, total / 1e6, "MB", "")

    return whisper_fetch.fetch(name, progress=progress, check=pulse.check)
