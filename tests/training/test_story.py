"""What a training tells: each line of the guide's "Training Debug Output", as event and as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers_project import finish, made_project

from engine import eventlog
from engine.eventlog import Record
from engine.events import (
    Device,
    Epoch,
    Evaluated,
    Event,
    FilesFound,
    Memory,
    Parameters,
    Samples,
    Saved,
    SettingsEcho,
    Stage,
    Step,
    Warned,
)
from engine.jobs import LOG_NAME
from engine.training.precision import Place
from engine.training.watch import Watch
from engine.xtts import train
from voicetui.plain import Narrator

CARD, FREE, TOTAL = "NVIDIA GeForce RTX 4060", 6_740_400_000, 8_188_000_000


@pytest.fixture(scope="module")
def records(
    tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, shared_home: Path
) -> list[Record]:
    """A run of two epochs on the CPU, then what a run on a made card would say of that card."""
    folder = tmp_path_factory.mktemp("story")
    project = made_project(
        folder / "voice", tiny_base, accumulation=2, scheduler="cosine_restarts", restart_epochs=1.0
    ).with_values({"dataset.min_minutes": 2.0})
    outcome = finish(train.session(project))
    assert outcome.state == "finished", outcome.error
    told: list[Event] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "mem_get_info", lambda device: (FREE, TOTAL))
        patch.setattr(torch.cuda, "get_device_name", lambda device: CARD)
        patch.setattr(torch.cuda, "device_count", lambda: 1)
        patch.setattr(torch.version, "cuda", "12.1")
        place = Place(torch.device("cuda"), "bf16")
        Watch(place, folder, told.append, 1).begin()
        told += [place.describe(), place.memory_now("epoch 1")]
    run = eventlog.read_all(project.runs_dir / "0001" / LOG_NAME)
    return [*run, *(Record(0, run[-1].t + 60, event) for event in told)]


@pytest.fixture(scope="module")
def text(records: list[Record]) -> str:
    narrator = Narrator()
    return "\n".join(line for record in records for line in narrator.tell(record))


def _setting(name: str, value: object) -> Callable[[Event], bool]:
    return lambda e: isinstance(e, SettingsEcho) and e.values[name] == value


def _warning(code: str) -> Callable[[Event], bool]:
    return lambda e: isinstance(e, Warned) and e.code == code


# Each line of the guide with the event that tells it, and a pattern of its plain line.
GUIDE_LINES: dict[str, tuple[Callable[[Event], bool], str]] = {
    "All required files found for model": (
        lambda e: isinstance(e, FilesFound) and e.count == 6 and e.folder.endswith("tiny"),
        r"found 6 files of the base in \S+/tiny",
    ),
    "Language": (_setting("language", "en"), r"settings  language=en "),
    "Epochs": (_setting("epochs", 2), r" epochs=2 "),
    "Batch Size": (_setting("batch_size", 2), r" batch_size=2 "),
    "Gradient Accumulation": (_setting("accumulation", 2), r" accumulation=2 "),
    "Learning Rate": (_setting("learning_rate", 5e-6), r" learning_rate=5e-06\b"),
    "Learning Rate Scheduler": (
        _setting("scheduler", "cosine_restarts"),
        r"^ +scheduler=cosine_restarts ",
    ),
    "Optimizer": (_setting("optimizer", "adamw"), r"^ +optimizer=adamw weight_decay=0\.01$"),
    "Device": (
        lambda e: isinstance(e, Device) and (e.device, e.name) == ("cuda", CARD),
        rf"runs on cuda \({CARD}\)",
    ),
    "CUDA Version": (lambda e: isinstance(e, Device) and e.cuda == "12.1", r"CUDA 12\.1"),
    "Total VRAM, Free VRAM": (
        lambda e: isinstance(e, Device) and (e.memory_free, e.memory_total) == (FREE, TOTAL),
        r"6\.7 GB of 8\.2 GB free",
    ),
    "Backend: Torch": (
        lambda e: isinstance(e, Device) and e.backend.startswith("torch 2"),
        r", torch 2\.",
    ),
    "Mixed precision: False, Precision: float32": (
        lambda e: isinstance(e, Device) and e.precision == "fp32" and not e.mixes,
        r"free, fp32,",
    ),
    "Mixed precision: True": (
        lambda e: isinstance(e, Device) and e.precision == "bf16" and e.mixes,
        r"mixed precision bf16",
    ),
    "Num. of GPUs": (lambda e: isinstance(e, Device) and e.gpus == 1, r", 1 GPU$"),
    "Num. of CPUs": (lambda e: isinstance(e, Device) and e.cpus > 0, r", \d+ CPUs?\b"),
    "Num. of Torch Threads": (lambda e: isinstance(e, Device) and e.threads > 0, r", \d+ threads?"),
    "Loading training samples": (
        lambda e: isinstance(e, Stage) and (e.name, e.total) == ("features", 8),
        r"features  8 clips",
    ),
    "Found 20 files in path": (
        lambda e: isinstance(e, FilesFound) and e.count == 8 and e.folder.endswith("dataset"),
        r"found 8 clips in \S+/voice/dataset",
    ),
    "Loaded 20 training and 3 eval samples": (
        lambda e: isinstance(e, Samples) and (e.train, e.eval) == (6, 2),
        r"6 clips to train on \(\d+ s\), 2 held out",
    ),
    "Model has 517360175 parameters": (
        lambda e: isinstance(e, Parameters) and e.trained > 600_000,
        r"\d{3},\d{3} parameters are trained, 0 are frozen",
    ),
    "EPOCH: 0/4": (lambda e: isinstance(e, Epoch) and e.steps == 2, r"epoch 1/2  2 steps"),
    "Step: 7/31": (lambda e: isinstance(e, Step) and e.steps == 4, r"epoch 1/2  step 1/4 "),
    "text_ce, mel_ce, loss": (
        lambda e: isinstance(e, Step) and e.text_ce > e.loss_text_ce > 0 and e.mel_ce > 0,
        r"loss \d\.\d{3} \(text 0\.\d{3}, mel \d\.\d{3}\)",
    ),
    "current_lr": (lambda e: isinstance(e, Step) and e.lr > 0, r"lr 5\.0e-06"),
    "grad_norm": (lambda e: isinstance(e, Step) and e.grad_norm > 0, r"gradient \d"),
    "step_time, loader_time": (
        lambda e: isinstance(e, Step) and e.seconds > e.loader_seconds >= 0,
        r"took \d+\.\d\d s, loader \d+\.\d\d s",
    ),
    "clips and audio a second": (
        lambda e: isinstance(e, Step) and e.clips > 0 and e.audio_seconds > 0,
        r" \d+\.\d clips/s .* \d+\.\d s of audio/s",
    ),
    "time left": (lambda e: isinstance(e, Step) and e.eta > 0, r"ETA \d+ s"),
    "memory of a step": (
        lambda e: isinstance(e, Step) and e.memory > 1e8,
        r"audio/s  memory \d+(\.\d)? [MG]B$",
    ),
    "EVAL PERFORMANCE": (
        lambda e: isinstance(e, Evaluated) and e.epoch == 1,
        r"EVAL PERFORMANCE  epoch 1  loss \d\.\d{3}  text 0\.\d{3}  mel \d\.\d{3}",
    ),
    "EVAL PERFORMANCE with changes": (
        lambda e: isinstance(e, Evaluated) and e.epoch == 2,
        r"EVAL PERFORMANCE  epoch 2  loss \d\.\d{3} \([+-]0\.\d{3}\)  text 0\.\d{3} \([+-]0",
    ),
    "BEST MODEL = path": (
        lambda e: isinstance(e, Saved) and e.best and e.checkpoint == "step-000002",
        r"BEST MODEL\n.* saved step-000002 .* best so far",
    ),
    "GPU Memory Status": (
        lambda e: isinstance(e, Memory) and (e.gpu_used, e.gpu_total) == (TOTAL - FREE, TOTAL),
        r"GPU 1\.4 GB used, 6\.7 GB of 8\.2 GB free",
    ),
    "memory after each epoch": (
        lambda e: isinstance(e, Memory) and e.stage == "epoch 2" and e.rss > 1e8,
        r"memory after epoch 2: .* of RAM",
    ),
    "Learning Scheduler Parameters": (
        lambda e: isinstance(e, SettingsEcho) and e.values["restart_epochs"] == 1.0,
        r"cosine_restarts restart_epochs=1 restart_growth=1 final_learning_rate=1e-06$",
    ),
    "VRAM below the recommended 12GB": (
        _warning("small_card"),
        r"WARNING  The card has 8\.2 GB; 12 GB are recommended",
    ),
    "Very small training dataset": (
        _warning("small_dataset"),
        r"WARNING  The dataset has 0\.\d min of speech; a voice needs 2 min",
    ),
}


@pytest.mark.parametrize("line", GUIDE_LINES)
def test_each_line_of_the_guide_has_its_event_and_its_text(
    line: str, records: list[Record], text: str
) -> None:
    tells, pattern = GUIDE_LINES[line]
    assert any(tells(record.event) for record in records)
    assert re.search(pattern, text, re.MULTILINE), text


def test_a_story_begins_and_ends(records: list[Record]) -> None:
    kinds = [record.kind for record in records]
    assert kinds[0] == "started"
    assert kinds.index("settings") < kinds.index("device") < kinds.index("samples")
    assert kinds.index("parameters") < kinds.index("epoch") < kinds.index("finished")
