"""One recording on its way to clips: decoded, searched for speech, transcribed, cut.

Each step that costs time is kept in the project's cache, named by the content of the recording and
by the settings that the step depends on.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from engine import languages
from engine.audio.decode import Samples
from engine.audio.level import frame_levels
from engine.audio.speech import RATE as SPEECH_RATE
from engine.audio.speech import find_speech
from engine.audio.spool import open_raw, spool
from engine.dataset import asr_models, cutting, transcripts
from engine.dataset.asr_models import Fetcher
from engine.dataset.chunks import pack
from engine.dataset.clips import RATE
from engine.dataset.cutting import CutSource
from engine.dataset.judge import Tokenizer
from engine.dataset.pulse import Pulse
from engine.dataset.segment import segment
from engine.dataset.sources import Source
from engine.dataset.transcribe import Recogniser
from engine.dataset.transcripts import Transcript
from engine.files import make_dirs, move_file, remove_dir, sha256_file, sweep, sync_dir
from engine.jobs import Job
from engine.project import Project
from engine.text import clean
from engine.xtts import base as bases

# Raised when the same recording and settings would give other chunks, or other clips.
_HEARING_VERSION = 1
_CUTTING_VERSION = 1


class Recordings:
    """Cuts the recordings of one project. `close` it: it may hold a recogniser's process."""

    def __init__(self, project: Project, job: Job, pulse: Pulse, fetch: Fetcher | None) -> None:
        self._project = project
        self._settings = project.settings.dataset
        self._job = job
        self._pulse = pulse
        self._fetch = fetch
        self._vocab = _vocab(project)
        self._recogniser: Recogniser | None = None
        self._work = project.cache_dir / "work"
        self._transcripts = project.cache_dir / "transcripts"
        self._cuts = project.cache_dir / "cuts"
        self._staging = project.dataset_dir / ".new"
        self._wanted: set[Path] = set()
        make_dirs(project.dataset_dir / "wavs")
        staged = self._staging.glob("*/wavs")
        for folder in (project.cache_dir, self._transcripts, self._cuts, *staged):
            sweep(folder)
        remove_dir(self._work)

    def close(self) -> None:
        if self._recogniser is not None:
            self._recogniser.close()
        shutil.rmtree(self._work, ignore_errors=True)

    def known(self, source: Source, stem: str) -> CutSource | None:
        """What the recording gave in an earlier run with the same settings, if it did."""
        record = self._record(source, stem)
        self._wanted.add(record)
        return cutting.load(record, (self._staged(record), self._project.dataset_dir), source)

    def forget_others(self) -> None:
        """Drop the records of recordings that nobody asked for: their wavs are gone."""
        for record in set(self._cuts.glob("*.json")) - self._wanted:
            record.unlink()

    def place(self, sources: Sequence[Source], retract: Callable[[], None]) -> None:
        """Put the wavs of newly cut recordings into the dataset; a moment's work.

        `retract` is called before, since the tables of the dataset name wavs that are replaced.
        """
        chosen = {source.sha256[:16] for source in sources}
        staged = [r for r in self._wanted if r.stem[:16] in chosen and self._staged(r).is_dir()]
        if staged:
            retract()
        for record in staged:
            for other in self._cuts.glob(f"{record.stem[:16]}-*.json"):
                if other != record:
                    other.unlink()
            for path in (self._staged(record) / "wavs").glob("*.wav"):
                move_file(path, self._project.dataset_dir / "wavs" / path.name)
        if staged:
            sync_dir(self._project.dataset_dir / "wavs")
        remove_dir(self._staging)

    def _staged(self, record: Path) -> Path:
        """Where the wavs of a record wait until all recordings are cut."""
        return self._staging / record.stem

    def cut(self, source: Source, stem: str) -> CutSource:
        """Take a recording down the whole road, as far as it was not before.

        Its wavs wait beside the dataset, which stays as it was until `place`. Raises SourceError,
        TranscriptionError, DiskFullError and StopRequested.
        """
        record = self._record(source, stem)
        item = clean(source.name)
        with self._spooled(source, item) as (speech_path, audio):
            speech = open_raw(speech_path)
            levels = frame_levels(speech, SPEECH_RATE)
            transcript = self._heard(source, speech_path, speech, levels, item)
            self._pulse.check()
            segments = transcript.segments
            pieces = segment(
                [word for part in segments for word in part.words],
                transcript.spans,
                levels,
                transcript.seconds,
                shortest=self._settings.min_clip_seconds,
                longest=self._settings.max_clip_seconds,
            )
            rows, unknown = cutting.describe(
                pieces,
                segments,
                source,
                stem=stem,
                language=self._project.language,
                tokenizer=self._tokenizer,
                most_tokens=self._settings.max_text_tokens,
            )
            cutting.write_wavs(
                self._staged(record),
                rows,
                audio,
                lambda done, total: self._pulse.progress("cut", done, total, "clips", item),
            )
        result = CutSource(transcript.seconds, transcript.speech_seconds, rows, unknown)
        cutting.save(record, result)
        return result

    @contextmanager
    def _spooled(self, source: Source, item: str) -> Iterator[tuple[Path, Samples]]:
        """The recording as a raw file at 16 kHz and as samples at 22,050 Hz."""
        self._work.mkdir(parents=True, exist_ok=True)
        paths = {rate: self._work / f"{rate}.f32" for rate in (SPEECH_RATE, RATE)}
        try:
            spool(
                source.path,
                paths,
                lambda done, total: self._pulse.progress("decode", done, total, "s", item),
            )
            yield paths[SPEECH_RATE], open_raw(paths[RATE])
        finally:
            for path in paths.values():
                path.unlink(missing_ok=True)

    def _heard(
        self, source: Source, path: Path, speech: Samples, levels: Samples, item: str
    ) -> Transcript:
        """The whole transcript of a recording, from the cache as far as it is there."""
        key = _hash(_HEARING_VERSION, self._project.language, self._settings.asr_model)
        record = self._transcripts / f"{source.sha256[:16]}-{key}.jsonl"
        transcript = transcripts.load(record)
        if transcript is None:
            seconds = len(speech) / SPEECH_RATE
            spans = find_speech(
                speech, lambda done, total: self._pulse.progress("speech", done, total, "s", item)
            )
            transcript = transcripts.start(record, seconds, spans, pack(spans, levels, seconds))
        if missing := transcript.missing:
            self._transcribe(transcript, missing, path, item)
        return transcript

    def _transcribe(
        self, transcript: Transcript, missing: list[int], path: Path, item: str
    ) -> None:
        chunks = transcript.chunks
        total = sum(chunk.seconds for chunk in chunks)
        done = total - sum(chunks[index].seconds for index in missing)
        results = self._hearing.transcribe(
            path,
            [chunks[index] for index in missing],
            languages.whisper_code(self._project.language),
        )
        self._pulse.progress("transcribe", done, total, "s", item)
        for position, segments in results:
            transcript.add(missing[position], segments)
            done += chunks[missing[position]].seconds
            self._pulse.progress("transcribe", done, total, "s", item)

    @property
    def _hearing(self) -> Recogniser:
        """The recogniser, made when it is first needed."""
        if self._recogniser is None:
            settings = self._settings
            vram = 0 if settings.asr_device == "cpu" else asr_models.gpu_bytes()
            language = languages.whisper_code(self._project.language)
            model = asr_models.resolve(settings.asr_model, language, vram, self._fetch)
            self._recogniser = Recogniser(model, settings, self._job.emit, self._pulse.check)
        return self._recogniser

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from engine.xtts.vocab import Vocabulary

        return Vocabulary(self._vocab.parent, self._project.language)

    @cached_property
    def _vocab_hash(self) -> str:
        return sha256_file(self._vocab)

    def _record(self, source: Source, stem: str) -> Path:
        settings = self._settings
        key = _hash(
            _HEARING_VERSION,
            _CUTTING_VERSION,
            self._project.language,
            settings.asr_model,
            settings.min_clip_seconds,
            settings.max_clip_seconds,
            settings.max_text_tokens,
            self._vocab_hash,
            stem,
        )
        return self._cuts / f"{source.sha256[:16]}-{key}.json"


def _vocab(project: Project) -> Path:
    """The vocabulary of a project's base. Raises BaseModelError with the remedy when it lacks."""
    folder = bases.locate(project.base_reference)
    if not (folder / "vocab.json").is_file():
        bases.check(folder)
    return folder / "vocab.json"


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
