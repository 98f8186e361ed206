"""A project with a made dataset, ready to train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import soundfile
from helpers_xtts import MadeClip, made_dataset

from engine import project as projects
from engine.dataset import clips
from engine.dataset.clips import Clip, SourceRef
from engine.errors import VoicetuiError
from engine.project import Project
from engine.session import Outcome, Session


def as_clip(made: MadeClip, dataset: Path) -> Clip:
    return Clip(
        id=made.id,
        source=SourceRef("made.wav", "0" * 64),
        start=0.0,
        end=soundfile.info(dataset / made.wav).duration,
        wav=made.wav,
        text=made.text,
        text_second=None,
        agreement=None,
        words=(),
        language=made.language,
        speaker="made",
        split=made.split,  # type: ignore[arg-type]
        state="kept",
        reason="",
    )


def made_project(
    folder: Path, base: Path, made: list[MadeClip] | None = None, **settings: Any
) -> Project:
    """A project whose dataset is written by hand; settings as `training` keys."""
    values = {"device": "cpu", "batch_size": 2, "epochs": 2} | settings
    project = projects.create(
        folder,
        name="Made Voice",
        language="en",
        sources=[],
        base=str(base),
        values={
            "dataset.min_minutes": 0.0,
            **{f"training.{key}": value for key, value in values.items()},
        },
    )
    made = made or made_dataset(project.dataset_dir, train=6, held_out=2)
    clips.write(project.dataset_dir, [as_clip(clip, project.dataset_dir) for clip in made])
    return project


def finish(session: Session) -> Outcome:
    """Run a session to its end."""
    session.start()
    outcome = session.wait(120)
    assert outcome is not None
    return outcome


def error_of(outcome: Outcome) -> str:
    assert isinstance(outcome.error, VoicetuiError), outcome.error
    return str(outcome.error)
