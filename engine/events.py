"""The event types that every job tells its story in.

One stream of these is written to the job's log as it happens (`engine.eventlog`); the plain output,
`--json`, the console, `voicetui status` and the tests all read the same stream. Times are seconds,
sizes bytes, losses nats per token, unless a field says otherwise.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar


@dataclass(frozen=True)
class Event:
    """Base of all events. `kind` is the name in the log; `durable` ones survive a power cut.

    Those that come by the hundred are not durable: each would wait for the disk.
    """

    kind: ClassVar[str] = ""
    durable: ClassVar[bool] = True


# How a log writes the numbers that JSON does not know.
_NON_FINITE: dict[Any, float] = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}

EVENT_TYPES: dict[str, type[Event]] = {}
# The fields of each kind, and whether it may be a number that JSON does not know.
_FIELDS: dict[str, dict[str, bool]] = {}
_E = TypeVar("_E", bound=type[Event])


def _event(kind: str, *, durable: bool = True) -> Any:
    def register(cls: _E) -> _E:
        cls.kind = kind
        cls.durable = durable
        EVENT_TYPES[kind] = cls
        _FIELDS[kind] = {f.name: f.type == "float" for f in dataclasses.fields(cls)}
        return cls

    return register


# --- every job ------------------------------------------------------------------------------------


@_event("started")
@dataclass(frozen=True)
class Started(Event):
    """A process began to work on the job; a resumed run has several."""

    job: str
    pid: int
    version: str


@_event("settings")
@dataclass(frozen=True)
class SettingsEcho(Event):
    values: dict[str, Any]


@_event("device")
@dataclass(frozen=True)
class Device(Event):
    """Where the work runs. `memory_*` are those of the GPU, or of the machine on CPU.

    `gpus` and `cpus` count what the machine has, `backend` is what computes: "torch 2.8.0". With a
    `precision` that `mixes` formats, weights stay fp32.
    """

    device: str
    name: str
    memory_total: int
    memory_free: int
    cuda: str = ""
    precision: str = ""
    threads: int = 0
    backend: str = ""
    gpus: int = 0
    cpus: int = 0
    mixes: bool = False


@_event("files_found")
@dataclass(frozen=True)
class FilesFound(Event):
    """All `count` files of `what` were found in a folder."""

    what: str
    count: int
    folder: str


@_event("stage")
@dataclass(frozen=True)
class Stage(Event):
    """A stage begins; `total` counts what `progress` will count (0: unknown)."""

    name: str
    total: float = 0.0
    unit: str = ""


@_event("progress", durable=False)
@dataclass(frozen=True)
class Progress(Event):
    stage: str
    done: float
    total: float
    unit: str = ""
    item: str = ""


@_event("note")
@dataclass(frozen=True)
class Note(Event):
    code: str
    text: str


@_event("warning")
@dataclass(frozen=True)
class Warned(Event):
    """What was seen, what it means, what to do."""

    code: str
    seen: str
    means: str
    remedy: str


@_event("request_done")
@dataclass(frozen=True)
class RequestDone(Event):
    id: str
    request: str
    ok: bool
    message: str = ""


@_event("stopped")
@dataclass(frozen=True)
class Stopped(Event):
    """`reason` is SIGINT, SIGTERM or request. `step` is that of the checkpoint written, if any."""

    reason: str
    step: int | None = None


@_event("failed")
@dataclass(frozen=True)
class Failed(Event):
    error: str
    message: str


@_event("finished")
@dataclass(frozen=True)
class Finished(Event):
    summary: dict[str, Any] = field(default_factory=dict)


# --- preparation ----------------------------------------------------------------------------------


@_event("asr_model")
@dataclass(frozen=True)
class AsrModel(Event):
    name: str
    path: str
    device: str
    compute: str
    reason: str


@_event("output")
@dataclass(frozen=True)
class Output(Event):
    """The folder that the work writes to."""

    folder: str


@_event("sources_found")
@dataclass(frozen=True)
class SourcesFound(Event):
    """`files` were found, of which `used` are read; the others are the same, or unreadable."""

    files: int
    used: int
    duplicates: int
    failed: int


@_event("segmented", durable=False)
@dataclass(frozen=True)
class Segmented(Event):
    """How the speech of a recording was cut: `spans` of speech became `pieces`.

    `merged` sentences joined the one before them, `extended` pieces grew into the silence around
    them; `too_short` and `too_long` ones could not be mended. `seconds` is a piece's average.
    """

    source: str
    spans: int
    pieces: int
    merged: int
    extended: int
    too_short: int
    too_long: int
    seconds: float


@_event("clip_extended", durable=False)
@dataclass(frozen=True)
class ClipExtended(Event):
    """A piece that was too short, at `start` of its recording, grew from `before` to `after` s."""

    source: str
    start: float
    before: float
    after: float


@_event("audio_statistics")
@dataclass(frozen=True)
class AudioStatistics(Event):
    """All clips in use: how many, their average in seconds, and pieces out of bounds."""

    clips: int
    seconds: float
    under_minimum: int
    over_maximum: int


@_event("retranscribed")
@dataclass(frozen=True)
class Retranscribed(Event):
    """Pieces of a recording that looked wrong and were heard a second time.

    Of the `suspects` so many got another text (`changed`), so many have two texts that differ still
    (`disagree`), and so many have none that can be used (`failed`).
    """

    source: str
    suspects: int
    changed: int
    disagree: int
    failed: int


@_event("memory")
@dataclass(frozen=True)
class Memory(Event):
    """Memory in bytes at the end of a stage or an epoch; `rss` is RAM, that of helpers included.

    The GPU's are 0 where there is none.
    """

    stage: str
    rss: int
    gpu_used: int = 0
    gpu_free: int = 0
    gpu_total: int = 0


@_event("source_prepared", durable=False)
@dataclass(frozen=True)
class SourcePrepared(Event):
    source: str
    seconds: float
    speech_seconds: float
    kept: int
    dropped: int
    cached: bool


@_event("source_failed")
@dataclass(frozen=True)
class SourceFailed(Event):
    source: str
    message: str


@_event("clip_dropped", durable=False)
@dataclass(frozen=True)
class ClipDropped(Event):
    clip: str
    source: str
    start: float
    end: float
    reason: str


@_event("dataset_written")
@dataclass(frozen=True)
class DatasetWritten(Event):
    """Totals of the dataset; the same numbers stand in dataset/summary.json."""

    summary: dict[str, Any]


# --- training -------------------------------------------------------------------------------------


@_event("samples")
@dataclass(frozen=True)
class Samples(Event):
    train: int
    eval: int
    train_seconds: float
    eval_seconds: float


@_event("parameters")
@dataclass(frozen=True)
class Parameters(Event):
    trained: int
    frozen: int


@_event("resumed")
@dataclass(frozen=True)
class Resumed(Event):
    """`passed_over` names the damaged checkpoints that were newer than the one taken."""

    step: int
    epoch: int
    checkpoint: str
    passed_over: list[str] = field(default_factory=list)


@_event("rolled_back")
@dataclass(frozen=True)
class RolledBack(Event):
    """Bad steps in a row sent the run from `from_step` back to `step`, with a halved rate.

    `learning_rate` is that of the next step; `rollbacks` counts how often this happened.
    """

    step: int
    from_step: int
    learning_rate: float
    rollbacks: int


@_event("out_of_memory")
@dataclass(frozen=True)
class OutOfMemory(Event):
    """A batch of `step` did not fit. From here on these settings describe the batches of a step.

    Either `batch_size` or `batch_tokens` is not 0. The step is computed again.
    """

    step: int
    batch_size: int = 0
    batch_tokens: int = 0
    accumulation: int = 1


@_event("planned")
@dataclass(frozen=True)
class Planned(Event):
    """What steps with the longest clips took, measured, and the batch that fits.

    `fixed_bytes` are held whatever the batch, `clip_bytes` more for each clip in it; `free_bytes`
    is what other programs leave. `batch_size` x `accumulation` is the effective batch that was
    wanted and takes `needed_bytes`; `batch_tokens` is 0 unless batches are counted so.
    """

    device: str
    precision: str
    longest_seconds: float
    fixed_bytes: int
    clip_bytes: int
    needed_bytes: int
    free_bytes: int
    total_bytes: int
    wanted_batch_size: int
    wanted_accumulation: int
    batch_size: int
    batch_tokens: int
    accumulation: int
    fits: bool
    why: str


@_event("epoch")
@dataclass(frozen=True)
class Epoch(Event):
    """Epoch `epoch` (from 1) of `epochs` begins with `steps` optimiser steps."""

    epoch: int
    epochs: int
    steps: int


@_event("step", durable=False)
@dataclass(frozen=True)
class Step(Event):
    """One optimiser step. `loss_*` are weighted as coqui logs them, `*_ce` are unweighted.

    `memory` is what training needed at most since the step before: what torch reserved of the GPU,
    or on CPU what the process has in memory now. 0 is not known.
    """

    step: int
    steps: int
    epoch: int
    epochs: int
    loss: float
    loss_text_ce: float
    loss_mel_ce: float
    text_ce: float
    mel_ce: float
    lr: float
    grad_norm: float
    clips: int
    audio_seconds: float
    seconds: float
    loader_seconds: float
    eta: float
    memory: float = 0.0


@_event("evaluated")
@dataclass(frozen=True)
class Evaluated(Event):
    """Losses on the held-out clips after `step`. `best` tells whether no earlier one was lower."""

    step: int
    epoch: int
    loss: float
    loss_text_ce: float
    loss_mel_ce: float
    text_ce: float
    mel_ce: float
    best: bool
    seconds: float


@_event("lineage")
@dataclass(frozen=True)
class Lineage(Event):
    """The project's voice, and the epochs that each voice of its base was trained before."""

    voice: str
    epochs: dict[str, Any]


@_event("voice_evaluated")
@dataclass(frozen=True)
class VoiceEvaluated(Event):
    """Losses on the clips that an earlier voice of the base kept, after `step`.

    `loss` is weighted as coqui logs it, `*_ce` are not. `first` is the loss before this training
    began (step 0), and `change` = `loss` - `first`: above 0, the network forgets this voice.
    """

    voice: str
    step: int
    epoch: int
    clips: int
    loss: float
    text_ce: float
    mel_ce: float
    first: float
    change: float


@_event("saved")
@dataclass(frozen=True)
class Saved(Event):
    """A checkpoint is committed: everything up to `step` survives whatever happens next."""

    step: int
    epoch: int
    checkpoint: str
    bytes: int
    seconds: float
    best: bool


@_event("paused")
@dataclass(frozen=True)
class Paused(Event):
    step: int


@_event("continued")
@dataclass(frozen=True)
class Continued(Event):
    step: int


# --- export and speech ----------------------------------------------------------------------------


@_event("exported")
@dataclass(frozen=True)
class Exported(Event):
    folder: str
    step: int
    bytes: int


@_event("spoke")
@dataclass(frozen=True)
class Spoke(Event):
    """`text` was spoken into the wav file `path` with the weights of `step`, `seconds` of audio."""

    path: str
    text: str
    step: int
    seconds: float


@_event("fetched")
@dataclass(frozen=True)
class Fetched(Event):
    name: str
    path: str
    bytes: int


@dataclass(frozen=True)
class Unknown(Event):
    """An event of a kind that this version does not know; its fields are kept."""

    name: str
    fields: dict[str, Any]


def fields_of(event: Event) -> dict[str, Any]:
    """The fields of an event in their order, without its kind."""
    if isinstance(event, Unknown):
        return dict(event.fields)
    return {f.name: getattr(event, f.name) for f in dataclasses.fields(event)}


def number(value: Any) -> Any:
    """A number as it was before a log named it; anything else as it is."""
    return _NON_FINITE.get(value, value)


def build(kind: str, fields: Mapping[str, Any]) -> Event:
    """The event of a kind. Fields that this version does not know are left out."""
    cls = EVENT_TYPES.get(kind)
    if cls is None:
        return Unknown(kind, dict(fields))
    try:
        known = {
            name: number(fields[name]) if is_float else fields[name]
            for name, is_float in _FIELDS[kind].items()
            if name in fields
        }
        return cls(**known)
    except TypeError:
        # An older or newer version wrote other required fields.
        return Unknown(kind, dict(fields))
