"""The process that recognises speech: `python -m engine.dataset.asr_worker`.

It never imports torch, and all its memory is free again when it ends. It reads one JSON object a
line from stdin and answers with one a line on stdout:

    {"load": FOLDER, "device": …, "compute": …}         {"ready": {"device": …, "compute": …}}
    {"audio": RAW_16_KHZ_FILE, "chunks": [[start, end], …],
     "language": …, "batch": …}                         {"chunk": index, "segments": [[start, end,
                                                         words, logprob, no_speech, compression], …]}
                                                        … and {"done": true}

`{"warning": text}` may come in between, `{"error": text}` instead. It ends when stdin closes.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import queue
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np

RATE = 16_000
# ctranslate2's wheel is built for CUDA 12 and opens these by name when it first computes.
_CUDA_WHEELS = ("cuda_runtime", "cuda_nvrtc", "cublas", "cudnn")


class Recogniser:
    """faster-whisper with one model; falls back to the CPU when CUDA fails."""

    def __init__(self, folder: str, device: str, compute: str, answers: TextIO) -> None:
        self._folder = folder
        self._answers = answers
        wanted = _device(device)
        try:
            self._open(wanted, _compute(wanted, compute))
        except RuntimeError as error:
            self._fall_back(wanted, error)
        self.announce()

    def announce(self) -> None:
        say(self._answers, ready={"device": self.device, "compute": self.compute})

    def _open(self, device: str, compute: str) -> None:
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
        model = WhisperModel(self._folder, device, compute_type=compute, cpu_threads=threads)
        self._pipeline = BatchedInferencePipeline(model)
        self.device, self.compute = device, compute

    def _fall_back(self, device: str, error: RuntimeError) -> None:
        if device == "cpu":
            raise error
        say(self._answers, warning=str(error))
        self._open("cpu", "int8")

    def hear(self, audio: Any, chunks: list[tuple[float, float]], language: str) -> list[list[Any]]:
        """The segments of each chunk of 16 kHz samples."""
        try:
            return self._hear(audio, chunks, language)
        except RuntimeError as error:
            # Missing CUDA libraries and kernels come up at the first use, not at loading.
            self._fall_back(self.device, error)
            self.announce()
            return self._hear(audio, chunks, language)

    def _hear(
        self, audio: Any, chunks: list[tuple[float, float]], language: str
    ) -> list[list[Any]]:
        # Only the part with these chunks: the pipeline works on all that it is given.
        first = chunks[0][0]
        part = np.asarray(audio[round(first * RATE) : round(chunks[-1][1] * RATE)])
        spans = [{"start": start - first, "end": end - first} for start, end in chunks]
        segments, _ = self._pipeline.transcribe(
            part,
            language=language,
            clip_timestamps=spans,
            batch_size=len(chunks),
            beam_size=5,
            word_timestamps=True,
        )
        found: list[list[Any]] = [[] for _ in chunks]
        for segment in segments:
            middle = (segment.start + segment.end) / 2
            found[_nearest(spans, middle)].append(_row(segment, first))
        return found


def _nearest(spans: list[dict[str, float]], time: float) -> int:
    """The chunk that holds a time, or the one that comes closest to it."""
    distances = [max(span["start"] - time, time - span["end"]) for span in spans]
    return int(np.argmin(distances))


def _row(segment: Any, offset: float) -> list[Any]:
    words = [
        [w.word, round(w.start + offset, 3), round(w.end + offset, 3), round(w.probability, 4)]
        for w in segment.words or []
    ]
    return [
        round(segment.start + offset, 3),
        round(segment.end + offset, 3),
        words,
        round(float(segment.avg_logprob), 4),
        round(float(segment.no_speech_prob), 4),
        round(float(segment.compression_ratio), 4),
    ]


def _device(wanted: str) -> str:
    """The device to try; importing ctranslate2 comes after its CUDA libraries are in place."""
    if wanted == "cpu":
        return "cpu"
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return wanted if wanted == "cuda" else "cpu"
    preload_cuda()
    import ctranslate2

    return "cuda" if wanted == "cuda" or ctranslate2.get_cuda_device_count() else "cpu"


def preload_cuda() -> None:
    spec = importlib.util.find_spec("nvidia")
    for root in spec.submodule_search_locations or [] if spec else []:
        for wheel in _CUDA_WHEELS:
            # cublasLt before cublas: the second one needs the first.
            for library in sorted(Path(root, wheel, "lib").glob("lib*.so*"), key=_needed_first):
                try:
                    ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
                except OSError as error:
                    sys.stderr.write(f"{library.name}: {error}\n")


def _needed_first(library: Path) -> tuple[bool, str]:
    return ("Lt" not in library.name, library.name)


def _compute(device: str, wanted: str) -> str:
    if wanted != "auto":
        return wanted
    if device == "cpu":
        return "int8"
    import ctranslate2

    return "float16" if "float16" in ctranslate2.get_supported_compute_types("cuda") else "int8"


def say(answers: TextIO, **answer: Any) -> None:
    """Write one answer."""
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def serve(requests: Iterable[str], answers: TextIO) -> None:
    """Answer requests until they end, or until one fails."""
    recogniser: Recogniser | None = None
    for line in requests:
        request = json.loads(line)
        try:
            if "load" in request:
                recogniser = Recogniser(
                    request["load"], request["device"], request["compute"], answers
                )
            elif recogniser is not None:
                _transcribe(recogniser, request, answers)
        except (RuntimeError, ValueError, OSError) as error:
            say(answers, error=str(error))
            return


def _transcribe(recogniser: Recogniser, request: dict[str, Any], answers: TextIO) -> None:
    audio = np.memmap(request["audio"], np.float32, "r")
    chunks = [(index, (start, end)) for index, (start, end) in enumerate(request["chunks"])]
    for first in range(0, len(chunks), request["batch"]):
        batch = chunks[first : first + request["batch"]]
        heard = recogniser.hear(audio, [chunk for _, chunk in batch], request["language"])
        for (index, _), segments in zip(batch, heard, strict=True):
            say(answers, chunk=index, segments=segments)
    say(answers, done=True)


def _requests() -> Iterator[str]:
    """The lines of stdin. When it closes, nobody waits for an answer any more: end at once."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        yield lines.get()


def main() -> None:
    # What a library prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    serve(_requests(), answers)


if __name__ == "__main__":
    main()
