"""What is said in a recording: its transcript, from the cache as far as it is there, and its texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from engine import languages
from engine.audio.decode import Samples
from engine.audio.speech import RATE as SPEECH_RATE
from engine.audio.speech import find_speech
from engine.dataset.clips import Reason, Word
from engine.dataset.hearing import asr_models, spoken, takes, transcripts
from engine.dataset.hearing.asr_models import Fetcher
from engine.dataset.hearing.chunks import Chunk, pack
from engine.dataset.hearing.second import Take
from engine.dataset.hearing.spoken import mismatch
from engine.dataset.hearing.transcribe import Listener, Recogniser
from engine.dataset.hearing.transcripts import Segment, Transcript
from engine.dataset.pulse import Pulse
from engine.dataset.segment import Piece, segment
from engine.dataset.sources import Source
from engine.events import Retranscribed
from engine.files import make_dirs, sweep
from engine.jobs import Job
from engine.project import Project

# Raised when the same recording and settings would give other chunks.
HEARING_VERSION = 2


class Hearing:
    """Hears the recordings of one project. `close` it: it may hold a recogniser's process.

    `fits` tells whether a clip may have a text; where it may not, it is cut further.
    """

    def __init__(
        self,
        project: Project,
        job: Job,
        pulse: Pulse,
        fetch: Fetcher | None,
        listener: Listener | None = None,
        fits: Callable[[str], bool] | None = None,
    ) -> None:
        self._project = project
        self._settings = project.settings.dataset
        self._job = job
        self._pulse = pulse
        self._fetch = fetch
        self._recogniser = listener
        self._fits = fits
        self._transcripts = project.cache_dir / "transcripts"
        make_dirs(self._transcripts)
        sweep(self._transcripts)

    @property
    def pid(self) -> int | None:
        """The recogniser's process, while there is one."""
        return self._recogniser.pid if self._recogniser else None

    def close(self) -> None:
        if self._recogniser is not None:
            self._recogniser.close()

    def find(self, source: Source, speech: Samples, levels: Samples, item: str) -> Transcript:
        """The transcript of a recording as far as it was heard before; its speech is found.

        `speech` are its samples at 16 kHz, and `levels` those of each 10 ms. Raises DiskFullError
        and StopRequested.
        """
        record = self._transcripts / f"{source.sha256[:16]}-{self._key}.jsonl"
        transcript = transcripts.load(record)
        if transcript is not None:
            return transcript
        seconds = len(speech) / SPEECH_RATE
        spans = find_speech(
            speech, lambda done, total: self._pulse.progress("speech", done, total, "s", item)
        )
        return transcripts.start(record, seconds, spans, pack(spans, levels, seconds))

    def complete(self, transcript: Transcript, path: Path, item: str) -> None:
        """Hear what was not heard yet; the samples at 16 kHz lie in the raw file `path`.

        Raises TranscriptionError, DiskFullError and StopRequested.
        """
        if missing := transcript.missing:
            self._transcribe(transcript, missing, path, item)

    def takes(self, transcript: Transcript, levels: Samples, path: Path, item: str) -> list[Take]:
        """The pieces of a recording with the text that was chosen for each; see `complete`."""
        self.complete(transcript, path, item)

        def cut(segments: Sequence[Segment]) -> list[Piece]:
            return self.cut([word for s in segments for word in s.words], transcript, levels)

        language = self._project.language
        other = mismatch(transcript, language)
        if other is not None:
            self._job.emit(spoken.warning(other, item, language))
            if other.is_certain:
                once = takes.first_only(transcript, cut)
                return [replace(take, fault=Reason.LANGUAGE) for take in once]
        chosen = takes.choose_all(
            transcript, cut, lambda chunks: self._hear_again(transcript, chunks, path, item)
        )
        if chosen.counts.suspects:
            self._job.emit(Retranscribed(item, **asdict(chosen.counts)))
        if other is not None:
            return [replace(take, doubt=Reason.LANGUAGE) for take in chosen.takes]
        return chosen.takes

    def cut(self, words: Sequence[Word], transcript: Transcript, levels: Samples) -> list[Piece]:
        """The pieces of a recording in which these words are said."""
        return segment(
            words,
            transcript.spans,
            levels,
            transcript.seconds,
            shortest=self._settings.min_clip_seconds,
            longest=self._settings.max_clip_seconds,
            fits=self._fits,
        )

    def _hear_again(
        self, transcript: Transcript, chunks: Sequence[Chunk], path: Path, item: str
    ) -> None:
        missing = [chunk for chunk in chunks if chunk not in transcript.again]
        if not missing:
            return
        results = self._asked.transcribe(path, missing, self._language, careful=True)
        done = len(chunks) - len(missing)
        self._pulse.progress("retranscribe", done, len(chunks), "clips", item)
        for position, heard in results:
            transcript.add_again(missing[position], heard.segments)
            done += 1
            self._pulse.progress("retranscribe", done, len(chunks), "clips", item)

    def _transcribe(
        self, transcript: Transcript, missing: list[int], path: Path, item: str
    ) -> None:
        chunks = transcript.chunks
        total = sum(chunk.seconds for chunk in chunks)
        done = total - sum(chunks[index].seconds for index in missing)
        results = self._asked.transcribe(path, [chunks[i] for i in missing], self._language)
        self._pulse.progress("transcribe", done, total, "s", item)
        for position, heard in results:
            transcript.add(missing[position], heard)
            done += chunks[missing[position]].seconds
            self._pulse.progress("transcribe", done, total, "s", item)

    @property
    def _asked(self) -> Listener:
        """The recogniser, made when it is first needed."""
        if self._recogniser is None:
            settings = self._settings
            vram = 0 if settings.asr_device == "cpu" else asr_models.gpu_bytes()
            model = asr_models.resolve(settings.asr_model, self._language, vram, self._fetch)
            self._recogniser = Recogniser(model, settings, self._job.emit, self._pulse.check)
        return self._recogniser

    @property
    def _language(self) -> str:
        """The project's language as Whisper writes it."""
        return languages.whisper_code(self._project.language)

    @property
    def _key(self) -> str:
        return short_hash(HEARING_VERSION, self._project.language, self._settings.asr_model)


def short_hash(*parts: object) -> str:
    """A short name for values that JSON knows."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
