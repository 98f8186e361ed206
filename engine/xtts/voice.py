"""The voice of a project: the clips that stand for it, and what XTTS makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.audio import wav
from engine.dataset import clips
from engine.dataset.clips import Clip
from engine.errors import DatasetError
from engine.project import Project
from engine.text import clean
from engine.xtts.mel import SAMPLE_RATE

if TYPE_CHECKING:
    import torch

# AllTalk sorts references by 6 to 30 s; coqui reads 30 s of them at most.
MIN_REFERENCE_SECONDS = 6.0
MAX_REFERENCE_SECONDS = 30.0
# coqui's get_conditioning_latents: the GPT hears pieces of 6 s and takes their mean.
_CHUNK_SECONDS = 6


@dataclass(frozen=True)
class Latents:
    """What XTTS needs of a voice: (1, 32, channels) for the GPT, (1, 512, 1) for the vocoder."""

    gpt: torch.Tensor
    speaker: torch.Tensor


def _rank(clip: Clip) -> tuple[bool, float, float]:
    """Better references come first: not suspect, surely transcribed, near 6 s long."""
    return clip.state != "kept", -clip.scores.get("confidence", 0.0), abs(clip.seconds - 6.0)


def choose_references(listed: Sequence[Clip]) -> list[Clip]:
    """The best-judged clips of the training split, 6 to 30 s together where there is as much."""
    chosen: list[Clip] = []
    total = 0.0
    for clip in sorted((c for c in listed if c.split == "train"), key=_rank):
        if total + clip.seconds <= MAX_REFERENCE_SECONDS:
            chosen.append(clip)
            total += clip.seconds
        if total >= MAX_REFERENCE_SECONDS - 5.0:
            break
    return chosen


def references(project: Project) -> list[Path]:
    """The wav files that stand for the project's voice. Raises DatasetError when there are none."""
    chosen = choose_references(clips.usable(project.dataset_dir, project.language))
    if not chosen:
        raise DatasetError(
            f"{clean(str(project.folder))} has no clips that could stand for its voice. "
            "Add recordings and run 'voicetui prepare' again."
        )
    return [project.dataset_dir / clip.wav for clip in chosen]


def latents(model: Any, wavs: Sequence[Path]) -> Latents:
    """What coqui's Xtts `model` hears in the wav files, which are 22,050 Hz mono.

    Raises DatasetError when one is not.
    """
    import torch

    audios = []
    for path in wavs:
        audio = wav.read(path, SAMPLE_RATE).astype(np.float32) / np.float32(32768)
        audios.append(torch.from_numpy(audio)[None])
    speakers = [model.get_speaker_embedding(audio, SAMPLE_RATE) for audio in audios]
    gpt = model.get_gpt_cond_latents(
        torch.cat(audios, dim=-1),
        SAMPLE_RATE,
        length=int(MAX_REFERENCE_SECONDS),
        chunk_length=_CHUNK_SECONDS,
    )
    return Latents(gpt.cpu().clone(), torch.stack(speakers).mean(dim=0).cpu().clone())
