"""A project in a language that its base does not know, in the console."""

from __future__ import annotations

import asyncio
from pathlib import Path

from helpers_story import Story, tell
from helpers_vocab import SWEDISH, new_language_project

from engine import project
from voicetui.screens.dashboard import DashboardScreen
from voicetui.screens.dataset import DatasetScreen
from voicetui.screens.dialogs import Choose

TOTALS = '{"kept_clips": 8, "dropped_clips": 0, "train_seconds": 200.0, "eval_seconds": 40.0}'


def test_the_base_is_taught_where_the_project_is_opened(tmp_path: Path, tiny_base: Path) -> None:
    made = new_language_project(tmp_path / "voice", tiny_base, "sv", SWEDISH)
    (made.dataset_dir / "summary.json").write_text(TOTALS)

    async def walk(story: Story) -> None:
        await story.until_shown("does not know the language sv")
        await story.press("q")
        await story.until(lambda: isinstance(story.app.screen, DatasetScreen))
        await story.press("T")
        await story.until(lambda: isinstance(story.app.screen, DashboardScreen))
        await story.press("c")
        await story.until(lambda: isinstance(story.app.screen, Choose))
        await story.press("v")
        await story.until(lambda: story.app.followed)
        assert story.app.followed is not None
        job = story.app.host.job_at(story.app.followed)
        assert job is not None
        await asyncio.to_thread(job.session.wait, 60)
        await story.until_shown("Prepare the recordings again")

    tell(walk, lambda console: console.open_project(made.folder), (120, 40))
    taught = project.load(made.folder)
    assert (taught.base, taught.new_language) == ("base", False)
