from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path

import numpy as np
import psutil
import pytest
from helpers_recordings import known_words, piece, word_errors, words

from engine.audio.speech import Span
from engine.dataset.hearing import asr_models
from engine.dataset.hearing.asr_models import Model
from engine.dataset.hearing.chunks import Chunk
from engine.dataset.hearing.transcribe import Recogniser
from engine.errors import StopRequested, TranscriptionError
from engine.events import AsrModel, Event, Warned
from engine.settings import DatasetSettings

CHUNKS = [Chunk((Span(0.3, 11.3),)), Chunk((Span(11.3, 21.4),))]
CPU = DatasetSettings(asr_device="cpu")


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("asr") / "speech.f32"
    path.write_bytes(piece("journey", 21.5, 16_000).tobytes())
    return path


@pytest.fixture
def model() -> Model:
    return asr_models.resolve("tiny.en", "en", 0)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def recogniser(model: Model, events: list[Event]) -> Iterator[Recogniser]:
    made = Recogniser(model, CPU, events.append, lambda: None)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Recogniser]:
    """For tests that do not end its process."""
    model = asr_models.resolve("tiny.en", "en", 0)
    made = Recogniser(model, CPU, lambda event: None, lambda: None)
    yield made
    made.close()


def test_words_come_with_their_times(
    recogniser: Recogniser, events: list[Event], audio: Path, model: Model
) -> None:
    results = dict(recogniser.transcribe(audio, CHUNKS, "en"))
    assert sorted(results) == [0, 1]
    heard = [word for index in (0, 1) for part in results[index].segments for word in part.words]
    assert all(a.start <= a.end <= b.start + 1e-6 for a, b in pairwise(heard))
    for index, chunk in enumerate(CHUNKS):
        assert not results[index].languages, "an English model cannot tell"
        for part in results[index].segments:
            assert all(chunk.start <= w.start <= w.end <= chunk.end for w in part.words)
            assert part.avg_logprob > -0.5
            assert part.compression_ratio < 2.4
    text = words("".join(word.text for word in heard))
    known = known_words("journey", len(text))
    assert word_errors(known, text) / len(known) < 0.15
    (told,) = events
    assert told == AsrModel("tiny.en", str(model.folder), "cpu", "int8", model.reason)
    again = dict(recogniser.transcribe(audio, CHUNKS[1:], "en"))
    assert list(again) == [0]
    assert len(events) == 1, "the same process answers again"
    assert recogniser.pid is not None
    assert os.getsid(recogniser.pid) != os.getsid(0), "a Ctrl-C in our terminal does not reach it"


def test_shortened_pauses_are_mapped_back(shared: Recogniser, tmp_path: Path) -> None:
    speech = piece("market", 21.0, 16_000)
    pause = round(8.77 * 16_000)
    silence = np.zeros(30 * 16_000, np.float32)
    path = tmp_path / "apart.f32"
    path.write_bytes(np.concatenate([speech[:pause], silence, speech[pause:], speech]).tobytes())
    squeezed = Chunk((Span(0.0, 8.87), Span(38.67, 51.0)))
    whole = Chunk((Span(51.0, 72.0),))
    results = dict(shared.transcribe(path, [squeezed, whole], "en"))
    left, right = results[0].segments
    assert left.end <= 8.87 < 38.67 <= right.start, "no segment reaches over the pause"
    there = [*left.words, *(w._replace(start=w.start - 30) for w in right.words)]
    here = [word for part in results[1].segments for word in part.words]
    same = [
        abs(there[match.a + i].start - here[match.b + i].start + 51)
        for match in SequenceMatcher(
            None, [w.text.lower() for w in there], [w.text.lower() for w in here]
        ).get_matching_blocks()
        for i in range(match.size)
    ]
    assert len(same) > 45
    assert sorted(same)[len(same) * 9 // 10] < 0.1


def test_a_careful_hearing_is_of_each_chunk_alone(shared: Recogniser, audio: Path) -> None:
    chunks = [Chunk((Span(0.3, 4.0),)), Chunk((Span(4.0, 8.0),))]
    results = dict(shared.transcribe(audio, chunks, "en", careful=True))
    for index, chunk in enumerate(chunks):
        heard = [word for part in results[index].segments for word in part.words]
        assert len(heard) > 5
        assert chunk.start <= heard[0].start < heard[-1].end <= chunk.end


def test_its_process_never_imports_torch(audio: Path, model: Model) -> None:
    requests = [
        {"load": str(model.folder), "device": "cpu", "compute": "auto"},
        {
            "audio": str(audio),
            "chunks": [[[11.3, 15.5]]],
            "language": "en",
            "batch": 1,
            "careful": False,
        },
    ]
    code = (
        "import json, sys; from engine.dataset.hearing.asr_worker import serve; "
        "serve(map(json.dumps, json.loads(sys.argv[1])), sys.stdout); "
        "print(sorted({'torch', 'transformers', 'TTS'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(requests)],
        capture_output=True,
        text=True,
        check=True,
    )
    *answers, modules = done.stdout.splitlines()
    assert json.loads(answers[-1]) == {"done": True}
    assert modules == "[]"


def test_without_cuda_it_goes_on_on_the_cpu_and_says_so(
    model: Model, events: list[Event], audio: Path
) -> None:
    recogniser = Recogniser(model, DatasetSettings(asr_device="cuda"), events.append, lambda: None)
    try:
        results = dict(recogniser.transcribe(audio, CHUNKS[1:], "en"))
    finally:
        recogniser.close()
    assert results[0].segments[0].words
    told = [event for event in events if isinstance(event, AsrModel)][-1]
    warned = [event.code for event in events if isinstance(event, Warned)]
    # On a machine with a GPU it works there.
    assert (told.device, told.compute, warned) == ("cpu", "int8", ["asr_on_cpu"]) or (
        told.device == "cuda" and not warned
    )


def test_a_stop_ends_the_waiting_and_the_process(model: Model, audio: Path) -> None:
    asked = 0

    def check() -> None:
        nonlocal asked
        asked += 1
        if asked > 3:
            raise StopRequested("request")

    recogniser = Recogniser(model, CPU, lambda event: None, check)
    with pytest.raises(StopRequested):
        list(recogniser.transcribe(audio, CHUNKS, "en"))
    pid = recogniser.pid
    assert pid is not None
    recogniser.close()
    assert not psutil.pid_exists(pid)


def test_it_ends_when_the_process_that_asked_is_killed(model: Model) -> None:
    code = (
        "import sys; from pathlib import Path; from engine.settings import DatasetSettings; "
        "from engine.dataset.hearing.asr_models import Model; "
        "from engine.dataset.hearing.transcribe import Recogniser; "
        "r = Recogniser(Model('x', Path(sys.argv[1]), ''), DatasetSettings(), print, lambda: None); "
        "r._start(); print(r.pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(model.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline().startswith("AsrModel")
    worker = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    worker.wait(10)


def test_a_broken_model_is_told_with_a_remedy(tmp_path: Path, audio: Path) -> None:
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
    recogniser = Recogniser(Model("mine", tmp_path, ""), CPU, lambda event: None, lambda: None)
    with pytest.raises(
        TranscriptionError, match=rf"mine in {tmp_path} failed: .*another asr_model"
    ):
        list(recogniser.transcribe(audio, CHUNKS, "en"))
    recogniser.close()


def test_a_process_that_dies_is_told(model: Model, audio: Path) -> None:
    settings = DatasetSettings(asr_device="cpu", asr_batch=1)
    recogniser = Recogniser(model, settings, lambda event: None, lambda: None)
    # More than it hears at a time.
    results = recogniser.transcribe(audio, 5 * CHUNKS, "en")
    next(results)
    assert recogniser.pid is not None
    psutil.Process(recogniser.pid).kill()
    with pytest.raises(TranscriptionError, match=r"ended with code -9.*asr_batch=1"):
        list(results)
    assert recogniser.pid is None


def test_answers_that_nobody_took_are_not_taken_for_others(
    recogniser: Recogniser, audio: Path
) -> None:
    for _ in recogniser.transcribe(audio, CHUNKS, "en"):
        break
    results = dict(recogniser.transcribe(audio, CHUNKS[1:], "en"))
    assert list(results) == [0]
    assert results[0].segments[0].start >= CHUNKS[1].start
