"""Pretrains that come from elsewhere than the hub: from files of this machine, and from lists."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers_shelf import listed, put_on, shelf
from helpers_stored import DISCRIMINATOR, GENERATOR, keep_numbers
from helpers_story import Story, tell

from engine.pretrains import own, reader, store
from engine.pretrains.facts import Facts
from voicetui.screens.dialogs import Choose, Prompt
from voicetui.screens.folder_dialog import FilesDialog
from voicetui.screens.pretrains.merge_dialog import MergeDialog
from voicetui.screens.reading import Reading


@pytest.fixture
def files(home: Path) -> Path:
    """A folder with two weights files, and a text that is none."""
    folder = home / "weights"
    folder.mkdir()
    for name in ("G_200.pth", "D_200.pth", "notes.txt"):
        (folder / name).write_bytes(name.encode())
    return folder


@pytest.fixture
def read_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the reader would find, which takes seconds; the long story has the real one."""

    def inspect(path: Path, *, check: Callable[[], None]) -> Facts:
        check()
        return GENERATOR if path.name.startswith("G") else DISCRIMINATOR

    def convert(path: Path, target: Path, *, check: Callable[[], None]) -> Facts:
        target.write_bytes(b"tensors of " + path.read_bytes())
        return inspect(path, check=check)

    monkeypatch.setattr(reader, "inspect", inspect)
    monkeypatch.setattr(reader, "convert", convert)


async def browse(story: Story, name: str) -> FilesDialog:
    """Wait until the browser lists something."""
    await story.until(lambda: isinstance(story.app.screen, FilesDialog), "the browser")
    await story.until_shown(name)
    dialog = story.app.screen
    assert isinstance(dialog, FilesDialog)
    return dialog


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_the_files_of_an_entry_are_taken_from_a_folder(
    size: tuple[int, int], own_list: Path, files: Path, read_by_name: None
) -> None:
    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "aurora-40k")
        assert " F  files" in story.text.splitlines()[-1]
        await story.press("F")
        await browse(story, "weights/")
        await story.press("home", "down", "space")
        await story.until_shown("holds no 2 such files; Enter opens it.")
        await story.press("end", "space")
        await story.until_shown("Aurora 40k is here: copied and checked.")
        await story.until_shown("On this machine: imported")
        assert "✓ Aurora" in story.text

    tell(walk, shelf, size)
    kept = store.stored()["aurora-40k"]
    assert kept.came == "imported"
    assert (kept.folder / "G.pth").exists() is False
    assert (kept.folder / "G_200.pth").read_bytes() == b"G_200.pth"


def test_a_pair_of_ones_own_gets_a_name(files: Path, read_by_name: None) -> None:
    async def walk(story: Story) -> None:
        await listed(story)
        await story.press("a")
        await browse(story, "weights/")
        await story.press("end", "enter")
        await browse(story, "G_200.pth")
        assert "notes.txt" not in story.text
        await story.press("space")
        await story.until_shown("✓   D_200.pth")
        await story.press("enter")
        await story.until(lambda: "✓" not in story.text, "it is given back")
        await story.press("space")
        await story.until_shown("✓   D_200.pth")
        await story.press("down", "enter")
        await story.until(lambda: isinstance(story.app.screen, Prompt))
        await story.until_shown("From D_200.pth and G_200.pth.")
        await story.type("...")
        await story.until_shown("Give it a name with letters or digits.")
        await story.press("ctrl+u")
        await story.type("My [b]own")
        await story.press("enter")
        await story.until_shown("My [b]own 40k is here: copied and checked.")
        await story.until_shown("✓ My [b]own")
        await put_on(story, "my-b-own-40k")
        await story.press("F")
        await story.until_shown("It is here already")
        await story.press("a")
        await browse(story, "G_200.pth")
        await story.press("t")
        await story.type("~/nowhere")
        await story.until_shown("There is no file or folder '~/nowhere'.")
        await story.press("ctrl+u")
        await story.type("~/weights")
        await story.press("enter")
        await story.until_shown("What shall it be called?")
        await story.type("My b own")
        await story.press("enter")
        await story.until_shown("My b own was not imported")
        await story.until_shown("There is a pretrain called my-b-own-40k already.")

    tell(walk, shelf, (100, 30))
    assert set(store.stored()) == {"my-b-own-40k"}


@pytest.mark.long
def test_a_real_pair_is_taken_and_judged(pair: Path, home: Path) -> None:
    pair.rename(home / "weights")

    async def walk(story: Story) -> None:
        await listed(story)
        await story.press("a")
        await browse(story, "weights/")
        await story.press("end", "space")
        await story.until(lambda: isinstance(story.app.screen, Prompt))
        await story.type("Mine")
        await story.press("enter")
        for _ in range(600):
            if "mine-40k" in store.stored():
                break
            await story.pilot.pause(0.1)
        await story.until_shown("generator, RVC v2, 40k, with pitch, 109 speakers")

    tell(walk, shelf, (120, 50))


LINK = "someone/more/resolve/main/"
LIST = {
    "Cirrus": {"40k": {"G": f"{LINK}G.pth", "D": f"{LINK}D.pth"}},
    "Aurora": {
        "40k": {"G": "someone/pairs/resolve/main/G.pth", "D": "someone/pairs/resolve/main/D.pth"}
    },
    "Nothing [b]": {"48k": {"G": "null", "D": "null"}},
}


@pytest.mark.parametrize("size", [(80, 24), (200, 50)])
def test_of_a_list_one_sees_what_is_new_before_it_is_added(
    size: tuple[int, int], own_list: Path, home: Path
) -> None:
    (home / "list.json").write_text(json.dumps(LIST))

    async def walk(story: Story) -> None:
        await listed(story)
        await story.press("l")
        await story.until(lambda: isinstance(story.app.screen, Choose))
        assert "https://huggingface.co/IAHispano" in story.text
        await story.press("t")
        await story.until(lambda: isinstance(story.app.screen, Prompt))
        await story.type("~/nowhere.json")
        await story.press("enter")
        await story.until_shown("nowhere.json was not read")
        await story.press("q", "l")
        await story.until(lambda: isinstance(story.app.screen, Choose))
        await story.press("f")
        await browse(story, "list.json")
        await story.press("end", "enter")
        await story.until(lambda: isinstance(story.app.screen, Reading))
        await story.until_shown("Of this list 1 is new")
        for told in (
            "new      Cirrus 40k: https://huggingface.co/someone/more",
            "known    Aurora 40k: it is Aurora at 40k",
            "refused  Nothing [b] 48k: it names no G",
        ):
            await story.until_shown(told)
        assert "Cirrus" not in own.path().read_text()
        await story.press("a")
        await story.until_shown("1 added to")
        await story.until_shown("Cirrus 40k")
        assert "Nothing" not in own.path().read_text()

    tell(walk, shelf, size)
    assert set(own.load()) == {"aurora", "borealis", "cirrus"}


def test_a_difference_is_added_to_a_base() -> None:
    keep_numbers("Anna", 1, 2)
    keep_numbers("Berta", 4, 2)
    keep_numbers("Carla", 0, 0, pitch=False)

    async def walk(story: Story) -> None:
        await listed(story)
        await put_on(story, "anna-40k")
        await story.press("m")
        await story.until(lambda: isinstance(story.app.screen, MergeDialog))
        await story.press("down", "b")
        await story.until_shown("Difference mode: Berta 40k, plus so much")
        assert "+50%" in story.text
        # Without a base it is an average again, which takes nothing away.
        await story.press("up", *["left"] * 10)
        await story.until_shown("-5%")
        await story.press("down", "b")
        await story.until_shown("2 are in; Enter asks for a name.")
        assert "9%" in story.text
        await story.press("down", "b")
        await story.until_shown("pitch yes and no")
        await story.press("up", "b", "up", "left")
        await story.until_shown("-5%")
        await story.press("enter")
        await story.until_shown("Berta 40k, and of what each differs from it by: -5% of Anna")
        await story.press("ctrl+u")
        await story.type("Mine")
        await story.press("enter")
        await story.until(lambda: "mine-40k" in store.stored(), "the merge")
        await story.until_shown("✓ Mine")

    tell(walk, shelf)
    from safetensors.numpy import load_file

    made = store.stored()["mine-40k"]
    assert made.lineage[0].startswith("base Berta")
    assert made.lineage[1].startswith("-0.05 of Anna")
    # 4 - 0.05 * (1 - 4), and 2 - 0.05 * (2 - 2).
    assert load_file(made.tensors_of("G"))["dec.weight"].tolist() == pytest.approx([4.15, 2.0])
