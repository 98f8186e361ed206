"""Home: the list of projects, and what each of its keys does."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers_jobs import HOSTILE
from helpers_story import Story, tell
from textual.widgets import Input

from engine import lock, places, project, recent
from engine.events import Epoch, Started
from engine.hardware import Memory, Reading
from engine.jobs import Job
from engine.project import Project
from engine.xtts.base import FILES
from voicetui import drafts, listening, machine
from voicetui.app import Console
from voicetui.screens import home as home_module
from voicetui.screens.dialogs import Message
from voicetui.screens.folder_dialog import FolderDialog
from voicetui.screens.help import HelpScreen
from voicetui.screens.home import HomeScreen
from voicetui.screens.setup import SetupScreen
from voicetui.screens.wizard import plan
from voicetui.screens.wizard.summary import SummaryStep
from voicetui.screens.wizard.voice import VoiceStep
from voicetui.widgets.rows import RowList


def home_screen(console: Console) -> None:
    console.open_home()


def made(folder: Path, name: str = "Anna", **totals: Any) -> Project:
    """A project on the list, with a prepared dataset when totals are given."""
    base = folder.parent / "base"
    if not base.exists():
        base.mkdir(parents=True)
        for file in FILES:
            (base / file).touch()
    found = project.create(folder, name=name, language="en", sources=[], base=str(base))
    if totals:
        found.dataset_dir.mkdir()
        nothing = {"train_seconds": 9.0, "eval_seconds": 0.0, "dropped_clips": 0}
        (found.dataset_dir / "summary.json").write_text(json.dumps(nothing | totals))
    recent.remember(folder)
    return found


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path]]:
    """Where the console was sent to, in the place of going there."""
    where: list[tuple[str, Path]] = []
    for name in ("open_project", "open_dataset", "open_dashboard", "open_demo"):

        def go(_: Console, folder: Path, name: str = name) -> None:
            where.append((name, folder))

        monkeypatch.setattr(Console, name, go)
    return where


def test_an_empty_home_welcomes_and_shows_the_machine(
    opened: list[tuple[str, Path]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def look(story: Story) -> None:
        await story.until_shown("A voice of your own")
        await story.until_shown("RAM")
        await story.press("x", "y", "d", "e", "enter")
        assert isinstance(story.app.screen, HomeScreen)
        await story.press("m")
        assert opened == [("open_demo", tmp_path / "voicetui-demo")]
        await story.press("n")
        await story.at_step(VoiceStep)

    tell(look, home_screen)


def test_a_row_tells_what_a_project_holds_and_what_comes_next(tmp_path: Path) -> None:
    made(tmp_path / "berta", "Berta")
    made(tmp_path / "anna", train_seconds=2400, eval_seconds=300, kept_clips=512)

    async def look(story: Story) -> None:
        await story.until_shown("45.0")
        [row] = [line for line in story.text.splitlines() if line.strip().startswith("Anna")]
        assert row.split() == ["Anna", "en", "45.0", "512", "base"]
        assert "Look through the 512 clips" in story.text
        await story.press("j")
        await story.until_shown("name the recordings of the voice")
        assert str(tmp_path / "berta") in story.text

    tell(look, home_screen, (120, 30))


def test_a_run_that_begins_is_seen_without_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_module, "_REFRESH_SECONDS", 0.05)
    folder = made(tmp_path / "anna", kept_clips=5, train_seconds=300).folder

    async def look(story: Story) -> None:
        await story.until_shown("Look through the 5 clips")
        assert "▶" not in story.text
        run = folder / "runs" / "0001"
        run.mkdir(parents=True)
        job = Job(run, "train")
        try:
            with lock.hold(folder, "train"):
                job.emit(Started("train", os.getpid(), "0"))
                job.emit(Epoch(3, 15, 40))
                await story.until_shown("epoch 3/15")
                assert "▶" in story.text
        finally:
            job.close()

    tell(look, home_screen, (120, 30))


def test_keys_lead_to_the_projects_screens(tmp_path: Path, opened: list[tuple[str, Path]]) -> None:
    folder = made(tmp_path / "anna", kept_clips=5, train_seconds=300).folder

    async def walk(story: Story) -> None:
        await story.until_shown("Look through the 5 clips")
        await story.press("enter", "d")
        assert opened == [("open_project", folder), ("open_dataset", folder)]
        await story.press("r")
        assert opened[2:] == [("open_dashboard", folder)]
        await story.press("y")
        copied = (places.state_dir() / listening.CLIPBOARD_NAME).read_text()
        assert copied == f"{folder}\n"
        await story.press("e")
        await story.until(lambda: isinstance(story.app.screen, SetupScreen))
        await story.until_shown("Anna · change")
        await story.press("ctrl+g")
        await story.until(lambda: isinstance(story.app.screen, HomeScreen))
        await story.press("x")
        await story.until_shown("A voice of your own")

    tell(walk, home_screen)
    assert recent.folders() == []
    assert (folder / "project.toml").is_file()


def test_any_folder_can_be_opened(
    tmp_path: Path, home: Path, opened: list[tuple[str, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = made(tmp_path / "here" / "anna").folder
    recent.forget(folder)
    monkeypatch.chdir(tmp_path / "here")

    async def walk(story: Story) -> None:
        await story.press("o")
        await story.until(lambda: isinstance(story.app.screen, FolderDialog))
        await story.until_shown("voice project")
        await story.press("enter")
        await story.until(lambda: opened == [("open_project", folder)])
        await story.press("o")
        await story.until_shown("base/")
        await story.press("down", "space")
        await story.until_shown("is not a voice project")
        await story.press("q")
        await story.until(lambda: isinstance(story.app.screen, HomeScreen))
        await story.press("o")
        await story.until_shown("base/")
        await story.press("t")
        await story.until(lambda: isinstance(story.app.focused, Input))
        await story.type(str(folder))
        await story.press("enter")
        await story.until(lambda: opened == [("open_project", folder)] * 2)

    tell(walk, home_screen)


def test_the_filter_narrows_the_list(tmp_path: Path) -> None:
    for name in ("Anna", "Berta", "Carla"):
        made(tmp_path / name.lower(), name)

    async def walk(story: Story) -> None:
        await story.until_shown("Carla")
        await story.press("slash")
        await story.type("BERT")
        await story.until(lambda: "Carla" not in story.text)
        assert "Berta" in story.text
        await story.press("enter")
        assert isinstance(story.app.focused, RowList)
        await story.press("slash", "ctrl+g")
        await story.until_shown("Carla")

    tell(walk, home_screen)


def test_what_cannot_be_opened_is_a_row_with_its_problem(
    tmp_path: Path, opened: list[tuple[str, Path]]
) -> None:
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "project.toml").write_text("name = [")
    recent.remember(folder)
    recent.remember(tmp_path / "gone")

    async def look(story: Story) -> None:
        await story.until_shown("is gone. Bring it back")
        await story.press("down")
        await story.until_shown("is not valid TOML")
        await story.press("d")
        await story.until(lambda: isinstance(story.app.screen, Message))
        assert opened == []

    tell(look, home_screen, (160, 40))


def test_hostile_names_are_shown_as_they_are(tmp_path: Path) -> None:
    for number, name in enumerate(("[red]no[@click=app.exit]", "$x {y} %s", "שלום", "語" * 50)):
        made(tmp_path / str(number), name)
    folder = tmp_path / HOSTILE.replace("/", "_").replace("\x00", "")
    folder.mkdir()
    (folder / "project.toml").write_text("x")
    recent.remember(folder)

    async def look(story: Story) -> None:
        await story.until_shown("[red]no[@click")
        await story.until_shown("$x {y} %s")
        await story.until_shown("שלום")
        assert all(char.isprintable() or char == "\n" for char in story.text)

    tell(look, home_screen)


def test_two_hundred_projects_are_listed_at_once(tmp_path: Path) -> None:
    for number in range(200):
        folder = tmp_path / f"voice-{number}"
        (folder / "dataset").mkdir(parents=True)
        (folder / "project.toml").write_text(
            f'format = 1\nname = "Voice {number}"\nlanguage = "en"\nbase = "xtts-v2.0.3"\n'
            'profile = "standard"\nsources = []\n'
        )
        (folder / "dataset" / "summary.json").write_text(
            '{"kept_clips": 7, "dropped_clips": 0, "train_seconds": 9.0, "eval_seconds": 0.0}'
        )
        # Reading the clips would fail.
        (folder / "dataset" / "clips.jsonl").mkdir()
    state = places.state_dir()
    state.mkdir(parents=True)
    entries = [{"folder": f"{tmp_path}/voice-{n}", "opened": 1000.0 - n} for n in range(200)]
    (state / "recent.json").write_text(json.dumps({"format": 1, "projects": entries}))

    async def look(story: Story) -> None:
        began = time.perf_counter()
        screen = story.app.screen
        assert isinstance(screen, HomeScreen)
        await story.until(lambda: len(screen._seen) == 200)
        assert time.perf_counter() - began < 1.5
        await story.press("G")
        await story.until_shown("Voice 199")

    tell(look, home_screen)


class Shrinking:
    """A machine that has 1 GB of RAM less at each look, down to 4."""

    left = 9

    def __enter__(self) -> Shrinking:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, folder: Path) -> Reading:
        self.left = max(4, self.left - 1)
        memory = Memory(16 * 10**9, self.left * 10**9)
        return Reading(0.0, (), None, 0.0, memory, None, None, None, None)


def test_what_is_free_is_kept_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "Monitor", Shrinking)
    monkeypatch.setattr(home_module, "_MACHINE_SECONDS", 0.05)
    monkeypatch.setattr(home_module, "_LOOK_SECONDS", 0.02)

    async def look(story: Story) -> None:
        await story.until_shown("GB of 16.0 GB free")
        await story.until_shown(" 4.0 GB of 16.0 GB free")

    tell(look, home_screen)


def test_the_cursor_is_on_the_project_one_came_from_or_made(tmp_path: Path) -> None:
    for name in ("Anna", "Berta", "Carla"):
        made(tmp_path / name.lower(), name, kept_clips=5)
    new = tmp_path / "dora"
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    draft = replace(plan.new_draft(), name="Dora", language="en", folder=str(new), step=5)
    draft = replace(draft, sources=(str(recordings),), base=str(tmp_path / "base"))
    drafts.save(None, draft)

    async def walk(story: Story) -> None:
        home = story.app.screen
        assert isinstance(home, HomeScreen)
        await story.until_shown("Carla")
        await story.press("down")
        await story.until(lambda: home._folder == tmp_path / "berta")
        await story.press("enter")
        await story.until(lambda: story.app.screen is not home)
        await story.press("f3")
        await story.until(lambda: home._folders[0].name == "berta")
        assert home._folder == tmp_path / "berta"
        await story.press("down")
        await story.until(lambda: home._folder == tmp_path / "carla")
        await story.press("question_mark")
        await story.until(lambda: isinstance(story.app.screen, HelpScreen))
        await story.press("q")
        await story.until(lambda: story.app.screen is home)
        assert home._folder == tmp_path / "carla"
        await story.press("n")
        await story.until_shown("half-filled wizard")
        await story.press("g")
        await story.at_step(SummaryStep)
        await story.press("enter")
        await story.until_shown("Dora is made")
        await story.press("q")
        await story.until(lambda: story.app.screen is home)
        await story.until(lambda: home._folder == new)

    tell(walk, home_screen)


def test_a_project_that_another_program_opens_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_module, "_REFRESH_SECONDS", 0.05)
    made(tmp_path / "anna")

    async def look(story: Story) -> None:
        home = story.app.screen
        assert isinstance(home, HomeScreen)
        await story.until_shown("Anna")
        made(tmp_path / "berta", "Berta")
        await story.until_shown("Berta")
        assert home._folder == tmp_path / "anna"

    tell(look, home_screen)
