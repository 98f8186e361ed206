"""A made dataset and loops over a tiny base, for the tests of training and export."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from engine.control import Control
from engine.events import Event, Step
from engine.settings import TrainingSettings

SENTENCES = (
    "the rain keeps falling on the roof.",
    "a warm cup of tea!",
    "who left the door open this morning?",
    "nothing is better than a good book in the evening.",
    "we walked down to the river, and back.",
    "seven small boats were waiting.",
    "she said yes.",
    "there is a quiet place behind the house.",
)


@dataclass(frozen=True)
class MadeClip:
    id: str
    wav: str
    text: str
    language: str
    split: str


def made_dataset(folder: Path, train: int = 10, held_out: int = 3) -> list[MadeClip]:
    """Clips of babble (gliding, swelling tones and noise), 1 to 4 s long, with the sentences above."""
    random = np.random.default_rng(7)
    clips = []
    for number in range(train + held_out):
        seconds = 1.0 + 3.0 * random.random()
        time = np.arange(int(22_050 * seconds)) / 22_050
        pitch = 150 + 20 * number + 100 * np.sin(2 * np.pi * 1.1 * time)
        tone = np.sin(2 * np.pi * np.cumsum(pitch) / 22_050)
        swell = np.abs(np.sin(2 * np.pi * (1.5 + 0.1 * number) * time))
        babble = 0.4 * swell * (tone**3 + 0.3 * random.standard_normal(len(time)))
        name = f"wavs/clip_{number:08d}.wav"
        (folder / "wavs").mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / name, babble.astype(np.float32), 22_050, subtype="PCM_16")
        split = "train" if number < train else "eval"
        text = SENTENCES[number % len(SENTENCES)]
        clips.append(MadeClip(f"clip-{number:03d}", name, text, "en", split))
    return clips


def made_features(folder: Path, base: Path, **counts: int) -> Any:
    import torch

    from engine.xtts import features

    return features.build(
        folder / "cache",
        folder,
        made_dataset(folder, **counts),
        base,
        max_tokens=200,
        device=torch.device("cpu"),
        progress=lambda done, total: None,
        check=lambda: None,
    )


def make_loop(
    run: Path,
    base: Path,
    features: Any,
    *,
    emit: Callable[[Event], None] = lambda event: None,
    control: Control | None = None,
    facts: Mapping[str, Any] | None = None,
    place: Any = None,
    **changed: Any,
) -> Any:
    """A loop over a fresh copy of the base; settings as given, small and on CPU.

    `place` takes formats that are refused on a CPU, which can compute them slowly.
    """
    from engine.training import precision, rng
    from engine.training.loop import Loop
    from engine.xtts import load
    from engine.xtts.model import prepare_for_training
    from engine.xtts.task import XttsTask

    values: dict[str, Any] = {
        "batch_size": 1,
        "accumulation": 3,
        "epochs": 2,
        "learning_rate": 1e-3,
        "device": "cpu",
    }
    if changed.get("scheduler", "cosine_restarts") == "cosine_restarts":
        values["restart_epochs"] = 4.0
    settings = TrainingSettings(**(values | changed))
    place = place or precision.choose("cpu", "fp32")
    rng.seed_all(settings.seed)
    gpt = load.gpt_of(base)
    prepare_for_training(gpt, settings.dropout)
    gpt.train()
    task = XttsTask(gpt, features, load.mel_stats_of(base), settings, place)
    return Loop(
        task, settings, place, run, emit, control or Control(), facts or {},
        start_weights=lambda: load.gpt_of(base).state_dict(),
    )  # fmt: skip


def hex_losses(events: list[Event]) -> dict[int, str]:
    """The exact loss of every step."""
    return {event.step: event.loss.hex() for event in events if isinstance(event, Step)}


def of_kind(events: Sequence[Event], kind: type[Any]) -> list[Any]:
    """The events of one type, in their order."""
    return [event for event in events if isinstance(event, kind)]
