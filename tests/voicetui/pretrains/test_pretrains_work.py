"""What is done with pretrains behind the screens: fetching, verifying, inspecting, installing, …"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import hub_server
import pytest
from helpers_shelf import asked, listed, put_on, screen_of, shelf
from helpers_stored import keep_bytes, keep_numbers
from helpers_story import Story, tell
from hub_server import Hub

from engine import licences, lock, places, project, recent
from engine.fetching import assembly
from engine.pretrains import install, installations, reader, store
from engine.pretrains.install import file_name
from engine.xtts import base as bases
from engine.xtts.base import KnownBase, KnownFile
from voicetui.app import Console
from voicetui.screens.dialogs import Choose
from voicetui.screens.home import HomeScreen
from voicetui.screens.pretrains.install_dialog import InstallDialog
from voicetui.screens.pretrains.merge_dialog import MergeDialog
from voicetui.screens.reading import Reading


@pytest.fixture
def slow_hub(own_hub: Hub) -> Iterator[Hub]:
    """The hub sends G in small pieces until the test is over."""
    release = threading.Event()
    data = own_hub.commits[own_hub.commit("someone/pairs", "main")]["G.pth"]
    name = hashlib.sha256(data).hexdigest()
    own_hub.fail("cdn", "GET", name, hub_server.drip(data, len(data) // 6000, release))
    yield own_hub
    release.set()


async def dialog(story: Story, kind: type[object]) -> None:
    await story.until(lambda: isinstance(story.app.screen, kind), kind.__name__)


# --- fetching -------------------------------------------------------------------------------------


@pytest.fixture
def two_bases(own_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two published bases of a few bytes."""
    known = {}
    for name in ("xtts-v2.0.3", "xtts-v2.0.2"):
        contents = {file: f"{file} of {name} ".encode() * 1000 for file in bases.FILES}
        own_hub.put("coqui/XTTS-v2", contents, name)
        files = tuple(KnownFile(file, name, 0, "") for file in contents)
        known[name] = KnownBase(name, "coqui/XTTS-v2", "Licence 1", "https://l.example", files)
    monkeypatch.setattr(bases, "known", lambda: known)


def test_several_are_fetched_one_after_the_other_while_other_screens_are_used(
    two_bases: None,
) -> None:
    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "xtts-v2.0.3")
        await story.press("f")
        await story.until_shown("Licence 1")
        await story.press("q")
        assert story.app.fetches.is_empty
        assert not licences.is_accepted("xtts-v2.0.3", "Licence 1")
        for name in ("xtts-v2.0.3", "xtts-v2.0.2"):
            await put_on(story, name)
            await story.press("f")
            await dialog(story, Choose)
            await story.press("a")
            await story.until(lambda name=name: story.app.fetches.of(name))
        await story.press("f3")
        await story.until(lambda: isinstance(story.app.screen, HomeScreen))
        await story.until_shown("xtts-v2.0.2 is here: fetched and checked.")
        await story.press("f6")
        await listed(story)
        await put_on(story, "xtts-v2.0.3")
        await story.until_shown("On this machine: fetched")

    tell(walk, shelf, (160, 40))
    assert set(store.stored()) == {"xtts-v2.0.3", "xtts-v2.0.2"}


def test_a_fetch_is_told_everywhere_and_stops_with_its_bytes(slow_hub: Hub) -> None:
    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "aurora-40k")
        await story.press("f")
        await put_on(story, "borealis-40k")
        await story.press("f")
        await story.until_shown("Borealis 40k is fetched after Aurora 40k.")
        await story.until_shown("↓ Borealis")
        await story.press("x", "up")
        await story.until_shown("Borealis 40k is not fetched after all.")
        for told in (
            r"voicetui .*↓ Aurora 40k [1-9]\d?%",
            r"Fetching [1-9]\d?%, [\d.]+ kB of 751 kB.*; x stops it",
            r"↓ Aurora +40k finetune +sv +12 h +- +[1-9]\d?%",
        ):
            await story.until(lambda told=told: re.search(told, story.text), told)
        assert "x  stop" in story.text.splitlines()[-1]
        await story.press("q")
        await story.until_shown("Fetching Aurora 40k is not done")
        await story.press("q", "f3")
        await story.until_shown("projects")
        await story.until(lambda: re.search(r"↓ Aurora 40k \d+%", story.text.splitlines()[0]))
        await story.press("f6")
        await listed(story)
        await put_on(story, "aurora-40k")
        await story.press("x")
        await story.until_shown("Part of it came already; f goes on from there.")
        await story.until_shown("part came")
        assert "↓ Aurora 40k" not in story.text.splitlines()[0]
        assert story.app.fetches.is_empty

    tell(walk, shelf)
    unfinished = assembly.unfinished(places.models_dir("rvc") / "aurora-40k")
    assert sum(path.stat().st_size for path in unfinished.rglob("*")) > 10_000


@pytest.mark.long
def test_a_pair_is_fetched_and_read_by_its_tensors(own_hub: Hub, pair: Path) -> None:
    own_hub.put("someone/pairs", {path.name: path.read_bytes() for path in pair.iterdir()})

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "aurora-40k")
        await story.press("f")
        await over(story, "aurora-40k")
        await story.until_shown("On this machine: fetched")
        await story.until_shown("generator, RVC v2, 40k, with pitch, 109 speakers")
        await story.press("i")
        await over(story, "aurora-40k")
        await dialog(story, Reading)
        await story.until_shown("What Aurora 40k holds")
        await story.until_shown("iteration 300")
        await story.until_shown("G and D belong together, as far as tensors tell")

    tell(walk, shelf, (120, 50))


async def over(story: Story, slug: str) -> None:
    """Wait for work that takes seconds."""
    deadline = time.monotonic() + 60
    task = None
    while task is None or not task.is_over:
        assert time.monotonic() < deadline, story.text
        await story.pilot.pause(0.05)
        task = screen_of(story).task_of(slug)


def test_a_fetch_that_fails_says_why(own_hub: Hub) -> None:
    own_hub.fail("hub", "HEAD", "G.pth", *[hub_server.status(404, "RepoNotFound")] * 9)

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "aurora-40k")
        await story.press("f")
        await story.until_shown("Aurora 40k was not fetched")
        assert "someone/pairs" in story.text
        await story.press("q")
        await story.until_shown("✗ Aurora")
        await story.until_shown("Failed")

    tell(walk, shelf)


# --- looking at files -----------------------------------------------------------------------------


def test_files_are_verified_and_a_changed_one_is_told(own_list: Path) -> None:
    kept = keep_bytes("Aurora", repository="someone/pairs")

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "aurora-40k")
        await story.press("v")
        await dialog(story, Choose)
        await story.press("h")
        await story.until_shown("sub/D.pth is as it came")
        assert "sub/G.pth is as it came" in story.text
        await story.press("q")
        (kept.folder / "sub" / "G.pth").write_bytes(b"G as it cam!")
        await story.press("v")
        await dialog(story, Choose)
        await story.press("h")
        await story.until_shown("Aurora 40k must not be used")
        assert "sub/G.pth has changed" in story.text
        assert "voicetui pretrains remove" in " ".join(story.text.split())
        await story.press("q", "D")
        await story.until_shown("Remove Aurora 40k from this machine?")
        await story.press("x")
        await story.until_shown("Aurora 40k is off this machine.")
        await story.until_shown("Not here; f fetches it.")
        assert not kept.folder.exists()

    tell(walk, shelf, (100, 40))


def test_what_the_files_hold_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader itself takes seconds; the story of a whole fetch has it."""
    kept = keep_bytes("Anna")
    facts = {kept.folder / file.path: file.facts for file in kept.files}
    monkeypatch.setattr(reader, "inspect", lambda path, *, check: facts[path])

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "anna-40k")
        await story.press("i")
        await story.until_shown("What Anna 40k holds")
        await story.until_shown("560 tensors, 146 MB")
        assert "G and D belong together, as far as tensors tell" in story.text

    tell(walk, shelf)


# --- into Applio and RVC --------------------------------------------------------------------------


def applio(folder: Path) -> Path:
    for name in ("app.py", "core.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    place = folder / "rvc" / "models" / "pretraineds" / "custom"
    place.mkdir(parents=True)
    return place


def test_a_pair_is_put_into_a_tool_and_taken_out_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = applio(tmp_path / "Applio")
    monkeypatch.chdir(tmp_path)
    keep_numbers("Anna", 1, 2)

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "anna-40k")
        await story.press("o")
        await dialog(story, InstallDialog)
        await story.until_shown("+ G_anna-40k.pth")
        assert "Applio" in story.text
        await story.press("enter")
        await story.until_shown("what to do there")
        assert "Choose G_anna-40k.pth as Custom Pretrained G" in " ".join(story.text.split())
        assert sorted(path.name for path in place.iterdir()) == [
            "D_anna-40k.pth",
            "G_anna-40k.pth",
        ]
        await story.press("q")
        await story.until_shown("Installed  Applio")
        await story.press("o")
        await story.until_shown("✓ G_anna-40k.pth")
        await story.press("q", "O")
        await story.until_shown("Take Anna 40k out of Applio?")
        await story.press("x")
        await story.until_shown("Anna 40k is out of Applio.")
        assert not list(place.iterdir())

    tell(walk, shelf, (110, 50))


def test_which_tool_it_is_taken_out_of_is_told_as_where_it_was_put(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("One", "Two"):
        applio(tmp_path / name)
    kept = keep_numbers("Anna", 1, 2)
    for name in ("One", "Two"):
        install.install(install.plan(kept, installations.recognise(tmp_path / name)))
    monkeypatch.setenv("HOME", str(tmp_path))

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "anna-40k")
        await story.press("O")
        await story.until_shown("Applio  ~/One ")
        assert "Applio  ~/Two " in story.text
        await story.press("down", "enter")
        await story.until_shown("Take Anna 40k out of Applio?")
        await story.press("x")
        await story.until_shown("Anna 40k is out of Applio.")

    tell(walk, shelf)
    left = [path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("G_anna-40k.pth")]
    assert left == ["One"]


def test_a_different_file_of_the_name_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = applio(tmp_path / "Applio")
    monkeypatch.chdir(tmp_path)
    kept = keep_numbers("Anna", 1, 2)
    (place / file_name("G", kept.entry.slug)).write_text("mine")

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "anna-40k")
        await story.press("o")
        await story.until_shown("is a different file")
        await story.press("enter")
        assert isinstance(story.app.screen, InstallDialog)
        await story.press("o")
        await story.until_shown("The folder of Applio or RVC")

    tell(walk, shelf, (110, 50))
    assert [path.name for path in place.iterdir()] == ["G_anna-40k.pth"]


# --- merging --------------------------------------------------------------------------------------


def test_two_are_merged_by_their_weights() -> None:
    keep_numbers("Anna", 1, 2)
    keep_numbers("Berta", 4, 2)
    keep_numbers("Carla", 0, 0, pitch=False)

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "anna-40k")
        await story.press("m")
        await dialog(story, MergeDialog)
        assert "worst kind" in story.text
        assert "does not fit" in story.text
        await story.press("enter")
        assert isinstance(story.app.screen, MergeDialog)
        await story.press("down", "space", *["left"] * 5)
        assert "67%" in story.text
        await story.press("down", "space")
        assert "pitch yes and no" in " ".join(story.text.split())
        await story.press("enter")
        await story.until_shown("67% of Anna 40k; 33% of Berta 40k.")
        await story.press("ctrl+u")
        await story.type("Anna")
        await story.until_shown("There is a pretrain of that name already.")
        await story.press("ctrl+u")
        await story.type("Mine")
        await story.press("enter")
        await story.until(lambda: "mine-40k" in store.stored(), "the merge")
        await story.until_shown("Mine is made")
        await story.until_shown("✓ Mine")
        await story.until_shown("0.666667 of Anna")

    tell(walk, shelf, (160, 50))


@pytest.mark.parametrize("size", [(80, 24), (60, 18)])
def test_a_small_screen_shows_the_keys_of_a_merge_and_what_is_in(size: tuple[int, int]) -> None:
    for name in ("Anna", "Berta", "Dora", "Emma", "Frida"):
        keep_numbers(name, 1, 2)
    keep_numbers("Carla", 0, 0, pitch=False)

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "anna-40k")
        await story.press("m")
        await dialog(story, MergeDialog)
        await story.until_shown("● Anna 40k")
        await story.until_shown("Take in one more with Space.")
        assert "Merged pretrains are considered the worst kind" in story.text
        for key in ("Space  in/out", "← →  weight", "b  base", "Enter  go on", "q  cancel"):
            assert key in story.text
        await story.press("down", "space")
        await story.until_shown("2 are in; Enter asks for a name.")
        assert "● Anna 40k" in story.text
        assert "● Berta 40k" in story.text
        await story.press("G")
        await story.until_shown("✗ Carla 40k")
        assert "Choose pretrains that agree in these." in asked(story)
        assert "q  cancel" in story.text

    tell(walk, shelf, size)


# --- for a project --------------------------------------------------------------------------------


def test_a_base_is_used_for_the_project(tmp_path: Path) -> None:
    made = project.create(tmp_path / "voice", name="Ada", language="en", sources=[])
    (made.runs_dir / "0001" / "checkpoints" / "step-000005").mkdir(parents=True)

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "xtts-v2.0.3")
        assert "It is what the project trains from." in story.text
        await story.press("u")
        await story.until_shown("The project trains from it already.")
        await put_on(story, "xtts-v2.0.2")
        await story.press("u")
        await story.until_shown("Run 0001 was trained from xtts-v2.0.3")
        await story.press("q")
        await story.until(lambda: not isinstance(story.app.screen, Choose))
        assert project.load(made.folder).base == "xtts-v2.0.3"
        with lock.hold(made.folder, "train"):
            await story.press("u")
            await dialog(story, Choose)
            await story.press("c")
            await story.until_shown("The base was not changed")
        await story.press("q", "u")
        await dialog(story, Choose)
        await story.press("c")
        await story.until_shown("Ada trains from xtts-v2.0.2 now. It is not here yet")
        assert project.load(made.folder).base == "xtts-v2.0.2"

    tell(walk, lambda console: console.open_pretrains(made.folder), (100, 30))


def test_without_a_project_one_is_picked(tmp_path: Path) -> None:
    for name in ("Ada", "Eva"):
        recent.remember(
            project.create(tmp_path / name, name=name, language="en", sources=[]).folder
        )

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "xtts-v2.0.1")
        await story.press("u")
        await story.until_shown("For which project?")
        await story.press("slash")
        await story.type("ada")
        await story.press("enter", "enter")
        await story.until_shown("Ada trains from xtts-v2.0.1 now.")
        await story.until(lambda: "pretrains for Ada" in story.text)

    tell(walk, shelf)
    assert project.load(tmp_path / "Ada").base == "xtts-v2.0.1"
    assert project.load(tmp_path / "Eva").base == project.DEFAULT_BASE


def test_what_works_with_files_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_bytes("Anna")
    began, never = threading.Event(), threading.Event()

    def verify(stored: store.Stored, *, check: object, **_: object) -> tuple[()]:
        began.set()
        while True:
            check()  # type: ignore[operator]
            never.wait(0.005)

    monkeypatch.setattr("engine.pretrains.verify.verify", verify)

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "anna-40k")
        await story.press("v")
        await dialog(story, Choose)
        await story.press("h")
        await story.until(began.is_set)
        await story.until_shown("verify …")
        await story.press("i")
        await story.until_shown("One thing after the other")
        await story.press("x")
        await story.until_shown("Anna 40k: stopped, nothing was changed.")

    def opening(console: Console) -> None:
        console.open_home()
        console.open_pretrains()

    tell(walk, opening)
