"""One recording on its way to clips: decoded, searched for speech, transcribed, cut.

Each step that costs time is kept in the project's cache, named by the content of the recording and
by the settings that the step depends on.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from engine.audio import quality
from engine.audio.background import Background
from engine.audio.decode import Format, Samples
from engine.audio.level import frame_levels
from engine.audio.pauses import pause_levels
from engine.audio.speech import RATE as SPEECH_RATE
from engine.audio.spool import open_raw, spool
from engine.dataset import cutting
from engine.dataset.clips import RATE, Word
from engine.dataset.cutting import CutSource
from engine.dataset.given.takes import GivenTexts
from engine.dataset.hearing.asr_models import Fetcher
from engine.dataset.hearing.hear import HEARING_VERSION, Hearing, short_hash
from engine.dataset.hearing.second import Take
from engine.dataset.hearing.transcribe import Listener
from engine.dataset.hearing.transcripts import Transcript
from engine.dataset.judge import Tokenizer
from engine.dataset.pieces import count_pieces
from engine.dataset.pulse import Pulse
from engine.dataset.resources import MemoryWatch
from engine.dataset.sound import Sound
from engine.dataset.sources import Source, require_unchanged
from engine.files import make_dirs, move_file, remove_dir, sha256_file, sweep, sync_dir
from engine.jobs import Job
from engine.project import Project
from engine.text import clean
from engine.xtts import base as bases

# Raised when the same transcript and settings would give other clips.
_CUTTING_VERSION = 2


class Recordings:
    """Cuts the recordings of one project. `close` it: it may hold a recogniser's process."""

    def __init__(
        self,
        project: Project,
        job: Job,
        pulse: Pulse,
        fetch: Fetcher | None,
        listener: Listener | None = None,
    ) -> None:
        self._project = project
        self._settings = project.settings.dataset
        self._pulse = pulse
        self._vocab = _vocab(project)
        self._hearing = Hearing(project, job, pulse, fetch, listener, self._fits)
        self._given = GivenTexts(project, job.emit)
        self.memory = MemoryWatch(job.emit, lambda: self._hearing.pid)
        self._work = project.cache_dir / "work"
        self._cuts = project.cache_dir / "cuts"
        self._staging = project.dataset_dir / ".new"
        self._wanted: set[Path] = set()
        make_dirs(project.dataset_dir / "wavs")
        staged = self._staging.glob("*/wavs")
        for folder in (project.cache_dir, self._cuts, *staged):
            sweep(folder)
        remove_dir(self._work)

    def close(self) -> None:
        self._hearing.close()
        shutil.rmtree(self._work, ignore_errors=True)

    def known(self, source: Source, stem: str) -> CutSource | None:
        """What the recording gave in an earlier run with the same settings, if it did."""
        record = self._record(source, stem)
        self._wanted.add(record)
        return cutting.load(record, self.wav_folders(source, stem), source)

    def tell_unused_texts(self) -> None:
        """Tell of given transcripts that belong to no recording, when all recordings are known."""
        self._given.tell_unused()

    def wav_folders(self, source: Source, stem: str) -> tuple[Path, Path]:
        """Where the wavs of a recording may lie before `place`."""
        return self._staged(self._record(source, stem)), self._project.dataset_dir

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
        with self._spooled(source, item) as (speech_path, audio, form):
            self.memory.tell("decode")
            speech = open_raw(speech_path)
            levels = pause_levels(
                speech,
                SPEECH_RATE,
                lambda done, total: self._pulse.progress("levels", done, total, "s", item),
            )
            transcript = self._hearing.find(source, speech, levels, item)
            takes = self._takes(source, transcript, levels, speech_path, item)
            background = Background(frame_levels(speech, SPEECH_RATE), transcript.spans)
            measured = quality.measure(audio, background, transcript.spans, form, self._pulse.check)
            self.memory.tell("transcribe")
            rows, unknown = cutting.describe(
                takes,
                source,
                Sound(audio, background, measured.loudness),
                stem=stem,
                language=self._project.language,
                tokenizer=self._tokenizer,
                most_tokens=self._settings.max_text_tokens,
            )
            cutting.write_wavs(
                self._staged(record),
                rows,
                audio,
                self._settings.loudness,
                lambda done, total: self._pulse.progress("cut", done, total, "clips", item),
            )
            self.memory.tell("cut")
        found = count_pieces([take.piece for take in takes], len(transcript.spans))
        result = CutSource(
            transcript.seconds,
            transcript.speech_seconds,
            rows,
            unknown,
            pieces=found,
            quality=measured,
        )
        cutting.save(record, result)
        return result

    def _takes(
        self, source: Source, transcript: Transcript, levels: Samples, path: Path, item: str
    ) -> list[Take]:
        """The pieces of a recording with their texts: the given ones, else what is heard."""

        def hear() -> list[Word]:
            self._hearing.complete(transcript, path, item)
            return [word for segment in transcript.segments for word in segment.words]

        given = self._given.takes(
            source.path,
            transcript,
            levels,
            longest=self._settings.max_clip_seconds,
            item=item,
            hear=hear,
            cut=lambda words: self._hearing.cut(words, transcript, levels),
        )
        self._pulse.check()
        if given is not None:
            return given
        return self._hearing.takes(transcript, levels, path, item)

    @contextmanager
    def _spooled(self, source: Source, item: str) -> Iterator[tuple[Path, Samples, Format]]:
        """The recording as a raw file at 16 kHz, as samples at 22,050 Hz, and how it is stored."""
        self._work.mkdir(parents=True, exist_ok=True)
        paths = {rate: self._work / f"{rate}.f32" for rate in (SPEECH_RATE, RATE)}
        try:
            spooled = spool(
                source.path,
                paths,
                lambda done, total: self._pulse.progress("decode", done, total, "s", item),
            )
            require_unchanged(self._project, source)
            yield paths[SPEECH_RATE], open_raw(paths[RATE]), spooled.format
        finally:
            for path in paths.values():
                path.unlink(missing_ok=True)

    def _fits(self, text: str) -> bool:
        """Whether a text has no more tokens than a clip may have."""
        return self._tokenizer.count(text) <= self._settings.max_text_tokens

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from engine.xtts.vocab import Vocabulary

        return Vocabulary(
            self._vocab.parent, self._project.language, pending=self._project.new_language
        )

    @cached_property
    def _vocab_hash(self) -> str:
        return sha256_file(self._vocab)

    def _record(self, source: Source, stem: str) -> Path:
        settings = self._settings
        key = short_hash(
            HEARING_VERSION,
            _CUTTING_VERSION,
            self._project.language,
            settings.asr_model,
            settings.min_clip_seconds,
            settings.max_clip_seconds,
            settings.max_text_tokens,
            settings.loudness,
            self._vocab_hash,
            self._given.digest(source.path),
            stem,
        )
        return self._cuts / f"{source.sha256[:16]}-{key}.json"


def _vocab(project: Project) -> Path:
    """The vocabulary of a project's base. Raises BaseModelError with the remedy when it lacks."""
    folder = bases.locate(project.base_reference)
    if not (folder / "vocab.json").is_file():
        bases.check(folder)
    return folder / "vocab.json"
