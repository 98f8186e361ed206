"""The wizard measures which batch fits, in a project whose clips are there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from helpers_project import made_project
from helpers_story import Story, tell

from engine.project import Project
from engine.settings import TrainingSettings
from voicetui.app import Console
from voicetui.screens.wizard.batch import BatchStep


@pytest.fixture
def made(tmp_path: Path, tiny_base: Path) -> Project:
    return made_project(tmp_path / "voice", tiny_base, batch_size=2, accumulation=2)


def test_m_measures_the_batch_and_u_takes_it(made: Project) -> None:
    async def walk(story: Story) -> None:
        await story.go_to(BatchStep)
        await story.until_shown("m measures it with real steps")
        await story.press("m")
        await story.until_shown("Measuring steps with the longest clips")
        step = story.setup.step
        assert isinstance(step, BatchStep)
        assert step._measuring is not None
        # A process of its own takes some seconds to import what it needs.
        await asyncio.to_thread(step._measuring._helper._thread.join, 60)
        await story.until_shown("Measured with the longest clips")
        assert "4 x 1 (u takes it)" in story.text
        await story.press("u")
        training: TrainingSettings = story.setup.settings.training
        assert (training.batch_size, training.accumulation) == (4, 1)
        await story.until_shown("4 x 1 (u takes it)")
        # It says nothing of another format.
        story.setup.set_value("training.precision", "bf16")
        await story.until_shown("m measures it with real steps")

    tell(walk, lambda console: console.open_setup(made.folder), (100, 40))


def test_without_clips_there_is_nothing_to_measure() -> None:
    def new(console: Console) -> None:
        console.open_setup()

    async def walk(story: Story) -> None:
        await story.go_to(BatchStep)
        await story.press("m")
        await story.until_shown("make the voice and prepare it first")
        assert "m measures" not in story.text

    tell(walk, new, (100, 30))
