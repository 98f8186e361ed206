"""Speech recognition in a process of its own (`engine.dataset.hearing.asr_worker`), seen from this side."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import engine
from engine.dataset.clips import Word
from engine.dataset.hearing.asr_models import Model
from engine.dataset.hearing.chunks import Chunk
from engine.dataset.hearing.transcripts import Heard, Segment
from engine.errors import TranscriptionError
from engine.events import AsrModel, Event, Warned
from engine.settings import DatasetSettings
from engine.text import clean

_POLL_SECONDS = 0.1
_LOG_TAIL = 600


class Listener(Protocol):
    """What hears recordings: a `Recogniser`, or something simpler in its place."""

    @property
    def pid(self) -> int | None: ...

    def transcribe(
        self, audio: Path, chunks: Sequence[Chunk], language: str, *, careful: bool = False
    ) -> Iterator[tuple[int, Heard]]: ...

    def close(self) -> None: ...


class Recogniser:
    """Starts its process at the first use; `close` ends it and frees its memory.

    `emit` gets the events about the model and its device. `check` is called at least 5 times a
    second while the process works, and may raise to end the waiting.
    """

    def __init__(
        self,
        model: Model,
        settings: DatasetSettings,
        emit: Callable[[Event], None],
        check: Callable[[], None],
    ) -> None:
        self._model = model
        self._settings = settings
        self._emit = emit
        self._check = check
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._pending = b""

    @property
    def pid(self) -> int | None:
        """The process, once it was started."""
        return self._process.pid if self._process else None

    def transcribe(
        self, audio: Path, chunks: Sequence[Chunk], language: str, *, careful: bool = False
    ) -> Iterator[tuple[int, Heard]]:
        """What is heard in each chunk of a raw float32 16 kHz file, as it comes, in any order.

        `language` is Whisper's code; the indices are those of `chunks`. Chunks are decoded in
        batches, in one go; a `careful` hearing takes them one by one and tries harder where the
        result looks wrong. Raises TranscriptionError.
        """
        if self._process is None:
            self._start()
        done = False
        try:
            self._ask(
                audio=os.path.abspath(audio),
                chunks=[chunk.parts for chunk in chunks],
                language=language,
                batch=self._settings.asr_batch,
                careful=careful,
            )
            while "done" not in (answer := self._answer()):
                if "chunk" in answer:
                    index = answer["chunk"]
                    segments = _segments(chunks[index], answer["segments"])
                    yield index, Heard(tuple(segments), answer.get("languages", {}))
            done = True
        finally:
            # Answers that nobody took must not meet the next question.
            if not done:
                self.close()

    def close(self) -> None:
        """End the process now, whatever it does; it holds nothing that must be saved."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
            self._pending = b""
        if self._log is not None:
            self._log.close()
            self._log = None

    def _start(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "engine.dataset.hearing.asr_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            # "-m" looks for modules in the working folder first, so it must not be a foreign one.
            cwd=Path(engine.__file__).parent.parent,
            # A Ctrl-C in the terminal is for us; we end the process when we have stopped.
            start_new_session=True,
        )
        self._ask(
            load=os.path.abspath(self._model.folder),
            device=self._settings.asr_device,
            compute=self._settings.asr_compute,
        )
        while "ready" not in self._answer():
            pass

    def _ask(self, **request: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended() from error

    def _answer(self) -> dict[str, Any]:
        """The next answer; what it says about the device is emitted on the way."""
        answer: dict[str, Any] = json.loads(self._line())
        if "error" in answer:
            raise TranscriptionError(
                f"Speech recognition with {clean(self._model.name)} in "
                f"{clean(str(self._model.folder))} failed: {clean(answer['error'])}. "
                "Try --set asr_device=cpu, --set asr_batch=1, or another asr_model."
            )
        if "warning" in answer:
            self._emit(
                Warned(
                    "asr_on_cpu",
                    f"Speech recognition failed on the GPU: {clean(answer['warning'])}",
                    "It goes on on the CPU, which is slower.",
                    "Check the CUDA 12 driver and libraries, or set asr_device to cpu.",
                )
            )
        if "ready" in answer:
            ready = answer["ready"]
            self._emit(
                AsrModel(
                    self._model.name,
                    clean(str(self._model.folder)),
                    ready["device"],
                    ready["compute"],
                    self._model.reason,
                )
            )
        return answer

    def _line(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        while b"\n" not in self._pending:
            self._check()
            if select.select([descriptor], [], [], _POLL_SECONDS)[0]:
                piece = os.read(descriptor, 1 << 16)
                if not piece:
                    raise self._ended()
                self._pending += piece
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def _ended(self) -> TranscriptionError:
        assert self._process is not None
        assert self._log is not None
        code = self._process.wait()
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _LOG_TAIL))
        said = clean(self._log.read().decode(errors="replace").strip()) or "it said nothing"
        return TranscriptionError(
            f"The speech recognition process ended with code {code}: {said}. "
            "A process that was killed ran out of memory more often than not: "
            "try --set asr_batch=1 or a smaller asr_model, then run 'voicetui prepare' again."
        )


def _segments(chunk: Chunk, rows: Sequence[Sequence[Any]]) -> Iterator[Segment]:
    """Recognised text with its times in the recording, apart where a pause was shortened."""
    for words, *scores in rows:
        placed: dict[int, list[Word]] = {}
        for text, start, end, probability in words:
            index, span = chunk.place(start, end)
            placed.setdefault(index, []).append(Word(text, *span, probability))
        for part in placed.values():
            yield Segment(part[0].start, part[-1].end, tuple(part), *scores)
