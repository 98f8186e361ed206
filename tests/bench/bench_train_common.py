"""What both trainers are given and judged by: the base, the clips, the counting and the held-out loss."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import soundfile
from helpers_xtts import SENTENCES

from engine.settings import TrainingSettings
from engine.xtts.random_base import Size

BATCH = 4
THREADS = 2
# High enough for weights that know nothing to learn something in the few steps of a bench.
RATE = 2e-4
# The first step pays for what is made once.
_UNTIMED_STEPS = 1
_PROMPT = 32
_RATE_HZ = 22_050
_WORDS = " ".join(SENTENCES).split()


class Case(NamedTuple):
    """A base and how long both train on it. coqui builds its DVAE 512 wide, whatever the base is."""

    base: str
    size: Size
    train: int
    held_out: int
    epochs: int


_SMALL = Size(8, 512, 8, 1024, 512, 0)
CASES = {
    "speed": Case("base-8x512", _SMALL, 24, 4, 1),
    "loss": Case("base-8x512", _SMALL, 48, 8, 2),
    "full": Case("base-30x1024", Size(30, 1024, 16, 1024, 512, 0), 12, 4, 1),
}


@dataclass(frozen=True)
class Spoken:
    """A clip in the layout of both."""

    id: str
    wav: str
    text: str
    language: str
    split: str
    seconds: float


def clips(name: str) -> list[Spoken]:
    """The clips of a case; those of each split have the lengths from 2 to 11 s evenly."""
    case, listed = CASES[name], []
    for split, count in (("train", case.train), ("eval", case.held_out)):
        for number in range(count):
            clip = f"{split}_{count}_{number:03d}"
            random = np.random.default_rng([number, count])
            seconds = 2.0 + 9.0 * (number + 0.5) / count
            words = random.choice(_WORDS, round(2.6 * seconds))
            listed.append(
                Spoken(clip, f"wavs/{clip}.wav", " ".join(words) + ".", "en", split, seconds)
            )
    return listed


def base_of(folder: Path, name: str) -> Path:
    return folder / CASES[name].base


def make(folder: Path, name: str) -> None:
    """Write the base, the clips and the features of a case; what is there stays."""
    from engine.xtts import random_base

    base = base_of(folder, name)
    if not base.exists():
        random_base.make(base, CASES[name].size)
    (folder / "wavs").mkdir(exist_ok=True)
    for number, clip in enumerate(clips(name)):
        if not (folder / clip.wav).exists():
            audio = _babble(clip.seconds, number)
            soundfile.write(folder / clip.wav, audio, _RATE_HZ, subtype="PCM_16")
    features_of(folder, name)


def _babble(seconds: float, number: int) -> Any:
    """Gliding, swelling tones and noise: sound that gives many different codes."""
    random = np.random.default_rng(number)
    time_ = np.arange(int(_RATE_HZ * seconds)) / _RATE_HZ
    pitch = 140 + 60 * random.random() + 90 * np.sin(2 * np.pi * 0.9 * time_)
    tone = np.sin(2 * np.pi * np.cumsum(pitch) / _RATE_HZ)
    swell = np.abs(np.sin(2 * np.pi * 1.7 * time_))
    return (0.4 * swell * (tone**3 + 0.3 * random.standard_normal(len(time_)))).astype(np.float32)


def settings_of(name: str, **changed: Any) -> TrainingSettings:
    """Our settings for a case: our defaults but for what coqui is given too."""
    values: dict[str, Any] = {
        "batch_size": BATCH,
        "learning_rate": RATE,
        "scheduler": "constant",
        "epochs": CASES[name].epochs,
        "device": "cpu",
        "precision": "fp32",
    }
    return TrainingSettings(**(values | changed))


def features_of(folder: Path, name: str) -> Any:
    """The cache of what we read of the clips, made when it is not there."""
    import torch

    from engine.xtts import features

    return features.build(
        folder / "features" / name,
        folder,
        clips(name),
        base_of(folder, name),
        max_tokens=200,
        device=torch.device("cpu"),
        progress=lambda done, total: None,
        check=lambda: None,
    )


def held_out_loss(gpt: Any, folder: Path, name: str) -> float:
    """The held-out loss of any weights, as we measure it, whoever trained them."""
    from engine.training import evaluation, precision
    from engine.xtts import load
    from engine.xtts.task import XttsTask

    place, base = precision.choose("cpu", "fp32"), base_of(folder, name)
    task = XttsTask(
        gpt, features_of(folder, name), load.mel_stats_of(base), settings_of(name), place
    )
    return evaluation.held_out(task, place, lambda: None).loss


def peak_memory() -> int:
    """The most that this process had in memory so far, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def bytes_of(folder: Path, pattern: str = "**/*") -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())


def timed(work: Callable[[], Any]) -> float:
    """The seconds that a call takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


@dataclass
class Meter:
    """Counts the steps of a training, their clips, and the places that the transformer computes."""

    ends: list[tuple[int, float, int]] = field(default_factory=list)
    places: int = 0
    useful: int = 0

    def step_ended(self, epoch: int, clips: int) -> None:
        self.ends.append((epoch, time.perf_counter(), clips))

    def counted(self, clips: int, targets: int) -> None:
        """Count the places that clips need: their prompts, and where they predict."""
        self.useful += _PROMPT * clips + targets

    def watch(self, gpt: Any) -> None:
        """Count the places of coqui's GPT while it trains."""

        def count(module: Any, arguments: Any, named: dict[str, Any]) -> None:
            if module.training:
                batch, length, _ = named["inputs_embeds"].shape
                self.places += batch * length

        gpt.gpt.register_forward_pre_hook(count, with_kwargs=True)

    @property
    def clips_per_second(self) -> float:
        """From the end of a step to that of the next, without the first ones and between epochs."""
        seconds, clips = 0.0, 0
        ends = self.ends[_UNTIMED_STEPS - 1 :]
        for (epoch, before, _), (same, now, count) in pairwise(ends):
            if epoch == same:
                seconds += now - before
                clips += count
        return clips / seconds

    @property
    def padding(self) -> float:
        return self.places / self.useful
