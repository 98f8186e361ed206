"""The process that recognises speech: `python -m engine.dataset.hearing.asr_worker`.

It never imports torch, and all its memory is free again when it ends. It reads one JSON object a
line from stdin and answers with one a line on stdout:

    {"load": FOLDER, "device": …, "compute": …}         {"ready": {"device": …, "compute": …}}
    {"audio": RAW_16_KHZ_FILE, "chunks": [[[start, end], …], …],
     "language": …, "batch": …, "careful": …}           {"chunk": index, "languages": {…},
                                                         "segments": [[words, logprob, no_speech,
                                                         compression], …]}
                                                        … and {"done": true}

Chunks come in any order. A chunk is heard as if its parts, in seconds of the file, followed each
other; times of its words are seconds from its beginning. A careful hearing takes one chunk at a
time and tries again where the result looks wrong.

`{"warning": text}` may come in between, `{"error": text}` instead. It ends when stdin closes.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import math
import os
import queue
import sys
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from engine.audio.spool import open_raw

RATE = 16_000
# Softer thresholds and no loops for what went wrong once; as faster-whisper's README has them.
_CAREFUL: dict[str, Any] = {
    "temperature": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0),
    "condition_on_previous_text": False,
    "hallucination_silence_threshold": 2.0,
    "no_repeat_ngram_size": 3,
}
_SEED = 1
_BEAM = 5
# More is no faster on a CPU, and each chunk takes 70 MB with the smallest model.
_BATCHES = {"cuda": 8, "cpu": 4}
_MOST_WORKERS = 4
# ctranslate2's wheel is built for CUDA 12 and opens these by name when it first computes.
_CUDA_WHEELS = ("cuda_runtime", "cuda_nvrtc", "cublas", "cudnn")


class Recogniser:
    """faster-whisper with one model; falls back to the CPU when CUDA fails."""

    def __init__(self, folder: str, device: str, compute: str, answers: TextIO) -> None:
        self._folder = folder
        self._answers = answers
        self._encoded = threading.local()
        wanted = _device(device)
        try:
            self._open(wanted, _compute(wanted, compute))
        except RuntimeError as error:
            self._fall_back(wanted, error)
        self.announce()

    def announce(self) -> None:
        say(self._answers, ready={"device": self.device, "compute": self.compute})

    def _open(self, device: str, compute: str) -> None:
        import ctranslate2
        from faster_whisper import BatchedInferencePipeline, WhisperModel

        # The fallback samples at a temperature.
        ctranslate2.set_random_seed(_SEED)
        self.workers, threads = _workers() if device == "cpu" else (1, 0)
        model = WhisperModel(
            self._folder,
            device,
            compute_type=compute,
            cpu_threads=threads,
            num_workers=self.workers,
        )
        encode = model.encode

        def remember(features: Any) -> Any:
            # The language can be read from what was encoded, for next to nothing.
            self._encoded.last = encode(features)
            return self._encoded.last

        model.encode = remember
        self._model = model
        self._pipeline = BatchedInferencePipeline(self._model)
        self.device, self.compute = device, compute

    def _fall_back(self, device: str, error: RuntimeError) -> None:
        if device == "cpu":
            raise error
        say(self._answers, warning=str(error))
        self._open("cpu", "int8")

    def hear(self, chunks: list[Any], language: str, *, careful: bool) -> list[dict[str, Any]]:
        """What is heard in each chunk of 16 kHz samples."""
        listen = self._listen_again if careful else self._listen
        try:
            return listen(chunks, language)
        except RuntimeError as error:
            # Missing CUDA libraries and kernels come up at the first use, not at loading.
            self._fall_back(self.device, error)
            self.announce()
            return listen(chunks, language)

    def _listen(self, chunks: list[Any], language: str) -> list[dict[str, Any]]:
        # Whole seconds for each: times must not run from one into the next.
        slots = [math.ceil(len(chunk) / RATE) for chunk in chunks]
        starts = [sum(slots[:index]) for index in range(len(slots))]
        audio = np.zeros(sum(slots) * RATE, np.float32)
        for start, chunk in zip(starts, chunks, strict=True):
            audio[start * RATE : start * RATE + len(chunk)] = chunk
        spans = [
            {"start": start, "end": start + len(chunk) / RATE}
            for start, chunk in zip(starts, chunks, strict=True)
        ]
        segments, _ = self._pipeline.transcribe(
            audio,
            language=language,
            clip_timestamps=spans,
            batch_size=len(chunks),
            beam_size=_BEAM,
            word_timestamps=True,
        )
        found: list[dict[str, Any]] = [{"segments": [], "languages": {}} for _ in chunks]
        for segment in segments:
            index = bisect_right(starts, (segment.start + segment.end) / 2) - 1
            found[index]["segments"].append(_row(segment, starts[index]))
        if self._model.model.is_multilingual:
            likely = self._model.model.detect_language(self._encoded.last)
            for chunk, languages in zip(found, likely, strict=True):
                chunk["languages"] = {mark.strip("<|>"): p for mark, p in languages}
        return found

    def _listen_again(self, chunks: list[Any], language: str) -> list[dict[str, Any]]:
        found = []
        for chunk in chunks:
            segments, _ = self._model.transcribe(
                chunk, language=language, beam_size=_BEAM, word_timestamps=True, **_CAREFUL
            )
            found.append({"segments": [_row(segment, 0.0) for segment in segments]})
        return found


def _row(segment: Any, offset: float) -> list[Any]:
    words = [
        [w.word, round(w.start - offset, 3), round(w.end - offset, 3), round(w.probability, 4)]
        for w in segment.words or []
    ]
    return [
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


def _workers() -> tuple[int, int]:
    """How many batches a CPU decodes at a time, and the threads of each.

    A text is decoded word by word in small steps, in which threads of one batch wait for each
    other; batches do not.
    """
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    workers = max(1, min(_MOST_WORKERS, cores // 2 if cores > 2 else cores))
    return workers, max(1, cores // workers)


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
    audio = open_raw(Path(request["audio"]))
    chunks = request["chunks"]
    # A batch takes as long as its longest text.
    order = sorted(range(len(chunks)), key=lambda index: -sum(b - a for a, b in chunks[index]))
    careful = request["careful"]
    batch = 1 if careful else request["batch"] or _BATCHES[recogniser.device]
    batches = [order[first : first + batch] for first in range(0, len(order), batch)]

    def hear(indices: list[int]) -> list[dict[str, Any]]:
        cut = [_cut(audio, chunks[index]) for index in indices]
        return recogniser.hear(cut, request["language"], careful=careful)

    with ThreadPoolExecutor(recogniser.workers) as pool:
        for indices, heard in zip(batches, pool.map(hear, batches), strict=True):
            for index, answer in zip(indices, heard, strict=True):
                say(answers, chunk=index, **answer)
    say(answers, done=True)


def _cut(audio: Any, parts: list[list[float]]) -> Any:
    """The samples of a chunk."""
    return np.concatenate([audio[round(a * RATE) : round(b * RATE)] for a, b in parts])


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
