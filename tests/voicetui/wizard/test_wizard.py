"""The wizard with keys: every key's effect, a whole run, drafts, changing a project."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from helpers_audio import tone
from helpers_clips import clips_project
from helpers_nvml import GIB
from helpers_story import Story, tell
from textual import events
from textual.widgets import Input

from engine import licences, places, project, recent
from engine.hardware import Disk, Gpu, Memory, Reading
from engine.xtts import base as bases
from voicetui import cli, drafts, listening
from voicetui.app import Console
from voicetui.drafts import Draft
from voicetui.screens.dialogs import Choose, Prompt
from voicetui.screens.folder_dialog import FolderDialog
from voicetui.screens.setup import SetupScreen
from voicetui.screens.wizard import plan
from voicetui.screens.wizard.base import BaseStep
from voicetui.screens.wizard.batch import BatchStep
from voicetui.screens.wizard.listed import Listed
from voicetui.screens.wizard.profile import ProfileStep
from voicetui.screens.wizard.sources import SourcesStep
from voicetui.screens.wizard.summary import SummaryStep
from voicetui.screens.wizard.voice import VoiceStep
from voicetui.widgets.folder_browser import FolderBrowser
from voicetui.widgets.lines import Lines


@pytest.fixture(autouse=True)
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the console is started: two recordings and a broken one."""
    folder = tmp_path / "rec"
    folder.mkdir()
    (folder / "more").mkdir()
    for name, seconds in (("a.wav", 100), ("b.flac", 90)):
        soundfile.write(folder / name, tone(seconds, 8000), 8000)
    (folder / "broken.wav").write_bytes(b"no sound")
    monkeypatch.chdir(folder)
    return folder


def new(console: Console) -> None:
    console.open_setup()


def reading(*gpus: Gpu, free: int = 64 * GIB) -> Reading:
    return Reading(0.0, gpus, 1.0, 1.0, Memory(64 * GIB, free), 0, Disk(GIB, GIB), 0, 0)


CARD = Gpu(0, "NVIDIA GeForce RTX 4090", memory_used=2 * GIB, memory_total=24 * GIB, has_bf16=True)


async def has_machine(story: Story, found: Reading) -> None:
    """Put a made reading in the place of this machine's."""
    story.setup.machine.watch(False)
    await story.until(lambda: story.setup.machine.latest is not None)
    story.setup.machine.latest = found
    story.setup._poll()
    await story.pilot.pause()


# --- a whole run ----------------------------------------------------------------------------------


def test_a_whole_run_by_keys_makes_the_project_and_shows_its_command(
    recordings: Path, tmp_path: Path
) -> None:
    commands: list[str] = []

    async def walk(story: Story) -> None:
        await story.at_step(VoiceStep)
        await story.type("Anna B.")
        await story.press("tab")
        await story.type("ger")
        await story.press("enter")
        await story.press("tab")
        await story.at_step(SourcesStep)
        await story.until_shown("a.wav")
        await story.press("down", "space", "space")
        await story.until_shown("2 files · 3 min 10 s")
        await story.press("tab")
        await story.at_step(BaseStep)
        await story.press("tab")
        await story.at_step(ProfileStep)
        await story.press("down", "e", "ctrl+u")
        await story.type("22")
        await story.press("enter", "enter")
        await story.at_step(BatchStep)
        await story.press("enter", "ctrl+u", "2", "enter", "tab")
        await story.at_step(SummaryStep)
        commands.extend(plan.command(story.setup.draft))
        assert "voicetui new" in story.text
        await story.press("enter")
        await story.until(lambda: isinstance(story.app.screen, Choose))
        await story.press("q")

    tell(walk, new, (80, 30))
    folder = recordings / "anna-b"
    made = (folder / "project.toml").read_text()
    assert made == (
        f'format = 1\nname = "Anna B."\nlanguage = "de"\nbase = "xtts-v2.0.3"\n'
        f'profile = "accent"\nsources = [\n    "{recordings}/a.wav",\n    "{recordings}/b.flac",\n'
        f"]\n\n[training]\nepochs = 22\nbatch_size = 2\n"
    )
    assert recent.folders() == [folder]
    assert drafts.load(None) is None, "what is made is no draft any more"
    arguments = shlex.split(" ".join(commands))[1:]
    arguments[arguments.index(str(folder))] = str(tmp_path / "again")
    assert cli.run(arguments) == 0
    assert (tmp_path / "again" / "project.toml").read_text() == made


def test_prepare_now_opens_the_dataset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[tuple[Path, bool]] = []

    def open_dataset(_: Console, folder: Path, *, begin: bool = False) -> None:
        opened.append((folder, begin))

    monkeypatch.setattr(Console, "open_dataset", open_dataset)
    drafts.save(None, whole(tmp_path, step=5, sources=(str(tmp_path / "rec"),)))

    async def walk(story: Story) -> None:
        await story.press("g")
        await story.at_step(SummaryStep)
        await story.press("enter")
        await story.until(lambda: isinstance(story.app.screen, Choose))
        await story.press("p")
        await story.until(lambda: opened)

    tell(walk, new)
    assert opened == [(tmp_path / "voice", True)]


def whole(tmp_path: Path, **answers: object) -> Draft:
    draft = replace(plan.new_draft(), name="Anna", language="de", folder=str(tmp_path / "voice"))
    return replace(draft, **answers)  # type: ignore[arg-type]


# --- step 1 ---------------------------------------------------------------------------------------


def test_what_is_typed_is_judged_in_the_engines_words() -> None:
    async def walk(story: Story) -> None:
        await story.at_step(VoiceStep)
        await story.press("A", "vertical_line")
        await story.until_shown("✗ A voice's name must not be empty")
        await story.press("tab")
        await story.type("klingonish")
        await story.until_shown("✗ XTTS does not know the language 'klingonish'")
        await story.press("tab", "ctrl+u")
        await story.type("/proc/version/x")
        await story.until_shown("✗ /proc/version is a file.")

    tell(walk, new)


def test_the_folder_follows_the_name_until_it_is_typed(recordings: Path) -> None:
    async def walk(story: Story) -> None:
        await story.at_step(VoiceStep)
        await story.type("Anna")
        assert story.setup.draft.folder == str(recordings / "anna")
        await story.press("tab", "tab", "ctrl+u")
        await story.type("/tmp/x")
        await story.press("shift+tab", "shift+tab", "B")
        assert story.setup.draft.folder == "/tmp/x"
        assert isinstance(story.app.focused, Input)
        assert story.app.focused.id == "name"

    tell(walk, new)


def test_arrows_step_through_the_languages_that_match() -> None:
    async def walk(story: Story) -> None:
        await story.at_step(VoiceStep)
        await story.press("tab")
        await story.type("p")
        await story.press("down")
        assert story.setup.draft.language == "pt"
        await story.press("down")
        assert story.setup.draft.language == "pl"
        await story.press("up")
        assert story.setup.draft.language == "pt"

    tell(walk, new)


def test_a_language_that_the_base_does_not_know_is_asked_about() -> None:
    async def walk(story: Story) -> None:
        await story.at_step(VoiceStep)
        await story.press("tab")
        await story.type("sv")
        await story.press("enter")
        await story.until_shown("The base does not know the language sv")
        await story.press("q")
        await story.until(lambda: story.app.focused and story.app.focused.id == "language")
        assert "voice" in story.setup.problems
        await story.press("enter")
        await story.until(lambda: isinstance(story.app.screen, Choose))
        await story.press("n")
        await story.until_shown("sv is new to the base")
        assert "language" not in story.setup.problems.get("voice", "")
        await story.press("ctrl+n")
        await story.at_step(SourcesStep)
        await story.go_to(SummaryStep)
        await story.until_shown("The base does not know sv")

    tell(walk, new, (100, 40))


def test_ctrl_n_and_ctrl_o_change_the_step_from_any_field() -> None:
    async def walk(story: Story) -> None:
        await story.at_step(VoiceStep)
        await story.press("ctrl+n")
        await story.at_step(SourcesStep)
        await story.press("ctrl+o")
        await story.at_step(VoiceStep)

    tell(walk, new)


def test_a_step_without_recordings_has_no_tick(tmp_path: Path) -> None:
    drafts.save(None, whole(tmp_path, step=5))

    async def walk(story: Story) -> None:
        await story.press("g")
        await story.at_step(SummaryStep)
        await story.until_shown("○ recordings")
        assert "✓ voice" not in story.text.replace("✓ voice", "", 1)
        await story.until_shown("No recordings yet: add them later.")
        await story.press("enter")
        await story.until_shown("It has no recordings yet")
        assert "prepare it now" not in story.text

    tell(walk, new, (80, 40))


@pytest.mark.parametrize(
    ("answers", "field", "told"),
    [
        ({"name": " "}, "name", "A voice's name must not be empty"),
        ({"language": "klingonish"}, "language", "does not know the language 'klingonish'"),
        ({"folder": "/proc/version/x"}, "folder", "is a file"),
    ],
)
def test_the_cursor_goes_to_the_field_that_is_wrong(
    tmp_path: Path, answers: dict[str, str], field: str, told: str
) -> None:
    drafts.save(None, whole(tmp_path, step=5, **answers))

    async def walk(story: Story) -> None:
        await story.press("g")
        await story.at_step(SummaryStep)
        await story.press("enter")
        await story.at_step(VoiceStep)
        await story.until(lambda: story.app.focused and story.app.focused.id == field)
        status = story.setup.query_one("#status", Lines)
        await story.until(lambda: told in str(status.lines))
        await story.press("ctrl+u")
        mended = {"name": "Anna", "language": "german", "folder": str(tmp_path / "other")}
        await story.type(mended[field])
        await story.until(lambda: told not in str(status.lines))

    tell(walk, new, (160, 24))


def test_the_cursor_goes_to_the_setting_that_is_wrong(tmp_path: Path) -> None:
    drafts.save(None, whole(tmp_path, step=5, values={"training.seed": "-7"}))

    async def walk(story: Story) -> None:
        await story.press("g")
        await story.at_step(SummaryStep)
        await story.press("enter")
        await story.at_step(BatchStep)
        await story.press("enter")
        await story.until(lambda: isinstance(story.app.screen, Prompt))
        await story.until_shown("training.seed")

    tell(walk, new)


def test_what_is_typed_in_one_go_lands_where_it_belongs() -> None:
    async def walk(story: Story) -> None:
        await story.at_step(VoiceStep)
        for key in ("A", "n", "tab", "g", "e", "enter", "x", "ctrl+n"):
            story.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await story.at_step(SourcesStep)
        assert (story.setup.draft.name, story.setup.draft.language) == ("An", "de")
        assert story.setup.draft.folder.endswith("/anx")

    tell(walk, new)


# --- step 2 ---------------------------------------------------------------------------------------


def source_names(story: Story) -> list[str]:
    return [Path(source).name for source in story.setup.draft.sources]


async def browse(story: Story) -> None:
    await story.go_to(SourcesStep)
    await story.until_shown("broken.wav")


def test_the_browsers_keys(recordings: Path) -> None:
    async def walk(story: Story) -> None:
        await browse(story)
        await story.press("enter")
        await story.until_shown("rec/more")
        await story.press("left")
        await story.until_shown("broken.wav")
        await story.press("right")
        await story.until_shown("rec/more")
        await story.press("backspace")
        await story.until_shown("broken.wav")
        await story.press("space")
        assert source_names(story) == ["more"]
        await story.press("up", "space")
        assert source_names(story) == []
        await story.press("slash")
        await story.type("fla")
        await story.press("enter", "space")
        assert source_names(story) == ["b.flac"]
        assert "broken.wav" not in story.text
        await story.press("slash", "ctrl+g")
        await story.until_shown("broken.wav")
        await story.press("c")
        assert isinstance(story.app.screen, Listed)
        await story.press("x", "q")
        assert source_names(story) == []
        await story.press("h")
        await story.until(
            lambda: story.setup.query_one(FolderBrowser).listing.folder == Path.home()
        )

    tell(walk, new)


def test_what_cannot_be_read_is_named_with_its_reason(recordings: Path) -> None:
    async def walk(story: Story) -> None:
        await browse(story)
        await story.press("t")
        assert isinstance(story.app.screen, Prompt)
        await story.type(f"{recordings}/gone")
        await story.until_shown("There is no recording or folder")
        await story.press("enter")
        assert isinstance(story.app.screen, Prompt), "what is not there is not taken"
        await story.press("ctrl+u")
        await story.type(str(recordings))
        await story.press("enter")
        await story.until_shown("2 of 3 files · 3 min 10 s")
        await story.until_shown("✗ 1 cannot be used")
        await story.press("p")
        await story.until_shown("broken.wav holds no audio")
        await story.press("q")

    tell(walk, new)


def test_what_is_in_a_chosen_folder_is_not_chosen_again(recordings: Path) -> None:
    drafts.save(None, Draft(sources=(str(recordings),), base="xtts-v2.0.3", step=1))

    async def walk(story: Story) -> None:
        await story.press("g")
        await story.at_step(SourcesStep)
        await story.until_shown("rec/")
        story.setup.query_one(FolderBrowser).enter(recordings)
        await story.until_shown("broken.wav")
        await story.press("space")
        assert story.setup.draft.sources == (str(recordings),)
        await story.until_shown("which is chosen as a whole")

    tell(walk, new)


# --- step 3 ---------------------------------------------------------------------------------------


def whole_base(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in bases.FILES:
        (folder / name).write_bytes(b"x" * 2000)
    return folder


def test_the_cursor_chooses_a_base_and_its_files_are_checked(tmp_path: Path) -> None:
    other = tmp_path / "other"
    whole_base(other / "export" / "berta")
    recent.remember(other)

    async def walk(story: Story) -> None:
        await story.go_to(BaseStep)
        await story.until_shown("berta of other")
        assert "Coqui Public Model License" in story.text
        assert "✗ model.pth          1.9 GB" in story.text
        await story.press("G")
        assert story.setup.draft.base == str(other / "export" / "berta")
        await story.until_shown("✓ model.pth          2.0 kB")
        await story.press("g")
        assert story.setup.draft.base == "xtts-v2.0.3"
        await story.press("right")
        await story.at_step(ProfileStep)
        await story.press("left")
        await story.at_step(BaseStep)

    tell(walk, new)


def test_a_folder_becomes_the_base(tmp_path: Path, home: Path) -> None:
    folder = whole_base(home / "my base")
    (folder / "dvae.pth").rename(folder / "dvae.bin")

    async def walk(story: Story) -> None:
        await story.go_to(BaseStep)
        await story.press("o")
        await story.until(lambda: isinstance(story.app.screen, FolderDialog))
        await story.until_shown("5 of 6 files")
        await story.press("slash")
        await story.type("my")
        await story.press("enter", "space")
        await story.at_step(BaseStep)
        assert story.setup.draft.base == str(folder)
        await story.until_shown("rename dvae.bin?")
        assert "✗ dvae.pth           missing" in story.text

    tell(walk, new)


def test_a_base_is_fetched_after_its_licence_was_accepted(
    published: bases.KnownBase,
) -> None:
    async def walk(story: Story) -> None:
        await story.go_to(BaseStep)
        await story.press("f")
        await story.until_shown("Some Licence 1.0")
        await story.press("q")
        assert story.app.fetches.is_empty
        await story.press("f", "a")
        await story.until_shown("fetched and checked")
        await story.until_shown("on this machine")

    tell(walk, new)
    assert licences.is_accepted(published.name, published.licence)
    folder = places.models_dir(bases.FAMILY) / published.name
    assert sorted(path.name for path in folder.iterdir() if path.name in bases.FILES) == sorted(
        bases.FILES
    )


def test_a_fetch_is_stopped_and_told(published: bases.KnownBase, slow_hub: None) -> None:
    async def walk(story: Story) -> None:
        await story.go_to(BaseStep)
        await story.press("f", "a")
        await story.until_shown("0% ")
        await story.press("x")
        await story.until(lambda: story.app.fetches.is_empty)
        await story.until_shown("stopped; f goes on")

    tell(walk, new)


# --- step 4 and 5 ---------------------------------------------------------------------------------


def test_a_profile_brings_its_settings_and_explains_itself() -> None:
    async def walk(story: Story) -> None:
        await story.go_to(ProfileStep)
        await story.press("down", "down")
        assert story.setup.draft.profile == "stylized"
        await story.until_shown("It sets: epochs 30, learning_rate 3e-06, accumulation 2.")
        await story.press("e", "ctrl+u")
        await story.type("0")
        await story.until_shown("a whole number from")
        await story.press("enter")
        assert isinstance(story.app.screen, Prompt)
        await story.press("ctrl+u")
        await story.type("44")
        await story.press("enter")
        assert story.setup.settings.training.epochs == 44
        await story.until_shown("yours; the profile has 30")
        await story.press("d")
        assert story.setup.settings.training.epochs == 30

    tell(walk, new)


def test_a_batch_that_fits_is_suggested_and_taken() -> None:
    async def walk(story: Story) -> None:
        await story.go_to(BatchStep)
        await has_machine(story, reading(CARD))
        await story.until_shown("NVIDIA GeForce RTX 4090")
        assert "A tier" in story.text
        assert "✓ 4 x 1 fits" in story.text
        small = replace(CARD, memory_total=12 * GIB)
        await has_machine(story, reading(small))
        await story.until_shown("✗ 4 x 1 may not fit")
        await story.press("u")
        training = story.setup.settings.training
        assert training.batch_size < 4
        assert training.batch_size * training.accumulation == 4
        await story.until_shown(f"✓ {training.batch_size} x {training.accumulation} fits")

    tell(walk, new, (100, 30))


def test_the_estimate_is_for_the_chosen_base(tmp_path: Path) -> None:
    folder = whole_base(tmp_path / "tiny")
    sizes = {"gpt_layers": 2, "gpt_n_model_channels": 64, "gpt_n_heads": 4}
    (folder / "config.json").write_text(json.dumps({"model_args": sizes}))
    drafts.save(None, whole(tmp_path, base=str(folder), step=4))

    async def walk(story: Story) -> None:
        await story.press("g")
        await story.at_step(BatchStep)
        await has_machine(story, reading(free=6 * GIB))
        await story.until_shown("✓ 4 x 1 fits: about 1.")
        assert "GB for this base" in story.text
        story.setup.change(base="xtts-v2.0.3")
        await story.until_shown("✗ 4 x 1 may not fit: about 15.")
        assert "for this base" not in story.text

    tell(walk, new, (100, 30))


def test_every_setting_can_be_found_changed_and_put_back() -> None:
    async def walk(story: Story) -> None:
        await story.go_to(BatchStep)
        await story.press("slash")
        await story.type("precision")
        await story.press("enter", "enter", "ctrl+u")
        await story.type("fp64")
        await story.until_shown("Not allowed: training.precision is 'fp64'")
        await story.press("ctrl+u")
        await story.type("fp32")
        await story.press("enter")
        assert story.setup.draft.values == {"training.precision": "fp32"}
        await story.until_shown("profile auto")
        await story.press("d")
        assert story.setup.draft.values == {}

    tell(walk, new)


# --- step 6 ---------------------------------------------------------------------------------------


def test_the_summary_warns_copies_and_refuses_what_is_not_whole(
    recordings: Path, tmp_path: Path
) -> None:
    draft = whole(tmp_path, sources=(str(recordings / "a.wav"),), step=5)
    drafts.save(None, draft)

    async def walk(story: Story) -> None:
        await story.press("g")
        await story.at_step(SummaryStep)
        await story.until_shown("1 min 40 s")
        await story.until_shown("too little: 3 minutes at least")
        assert "is not on this machine yet" in story.text
        await story.press("y")
        copied = (places.state_dir() / listening.CLIPBOARD_NAME).read_text().strip()
        assert copied == " ".join(plan.command(draft))
        story.setup.change(name="")
        await story.until_shown("voice: A voice's name must not be empty")
        await story.press("enter")
        await story.at_step(VoiceStep)
        assert not (tmp_path / "voice").exists()
        await story.until_shown("✗ voice")

    tell(walk, new, (80, 40))


# --- drafts ---------------------------------------------------------------------------------------


def test_a_half_filled_wizard_survives_and_is_offered_again() -> None:
    async def fill(story: Story) -> None:
        await story.at_step(VoiceStep)
        await story.type("Anna")
        await story.press("ctrl+n", "ctrl+n")
        await story.at_step(BaseStep)

    tell(fill, new)
    kept = drafts.load(None)
    assert kept is not None
    assert (kept.name, kept.step) == ("Anna", 2)

    async def go_on(story: Story) -> None:
        await story.until_shown("There is a half-filled wizard")
        await story.press("g")
        await story.at_step(BaseStep)
        assert story.setup.draft == kept
        await story.press("ctrl+o", "ctrl+o")
        await story.at_step(VoiceStep)
        await story.press("ctrl+g")
        await story.until(lambda: not isinstance(story.app.screen, SetupScreen))

    def below(console: Console) -> None:
        console.open_home()
        console.open_setup()

    tell(go_on, below)

    async def start_anew(story: Story) -> None:
        await story.until_shown("There is a half-filled wizard")
        await story.type("Nina")
        await story.press("N", "n")
        assert isinstance(story.app.screen, Choose), "a name that is typed answers nothing"
        await story.press("a")
        await story.at_step(VoiceStep)
        assert story.setup.draft == plan.new_draft()

    tell(start_anew, new)
    assert drafts.load(None) is None


def test_a_draft_is_kept_while_it_is_typed() -> None:
    def kept_name() -> str:
        kept = drafts.load(None)
        return kept.name if kept else ""

    async def fill(story: Story) -> None:
        await story.at_step(VoiceStep)
        await story.type("Anna")
        await story.until(lambda: kept_name() == "Anna")

    tell(fill, new)


# --- changing a project ---------------------------------------------------------------------------


def test_a_project_is_changed_by_the_same_steps(recordings: Path, tmp_path: Path) -> None:
    made = project.create(
        tmp_path / "voice",
        name="Anna",
        language="de",
        sources=[recordings],
        values={"training.seed": 7, "dataset.asr_model": "small"},
    )

    async def walk(story: Story) -> None:
        await story.at_step(VoiceStep)
        assert "Anna · change" in story.text
        await story.type("bel")
        await story.go_to(SummaryStep)
        await story.until_shown("Changed      name: Anna → Annabel")
        await story.press("enter")
        await story.until_shown("Annabel is saved")
        await story.until_shown("prepare it now")

    tell(walk, lambda console: console.open_setup(made.folder), (80, 40))
    assert project.load(made.folder) == replace(made, name="Annabel")


def test_changed_epochs_lead_to_the_training_and_not_to_a_preparation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = clips_project(tmp_path / "voice", 3, wavs=False)
    totals = {"kept_clips": 3, "dropped_clips": 0, "train_seconds": 300, "eval_seconds": 30}
    (made.dataset_dir / "summary.json").write_text(json.dumps(totals))
    opened: list[Path] = []
    monkeypatch.setattr(Console, "open_dashboard", lambda _, folder: opened.append(folder))

    async def walk(story: Story) -> None:
        await story.at_step(VoiceStep)
        story.setup.set_value(plan.EPOCHS, "44")
        await story.go_to(SummaryStep)
        await story.until_shown("Changed      training.epochs: 15 → 44")
        await story.press("enter")
        await story.until_shown("go to its training")
        assert "prepare it now" not in story.text
        await story.press("t")
        await story.until(lambda: opened)

    tell(walk, lambda console: console.open_setup(made.folder), (80, 40))
    assert opened == [made.folder]


def test_a_broken_project_is_told_and_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "voice"
    folder.mkdir()
    (folder / "project.toml").write_text("name = [")

    async def walk(story: Story) -> None:
        await story.until_shown("is not valid TOML")

    tell(walk, lambda console: console.open_setup(folder))
    assert (folder / "project.toml").read_text() == "name = ["


# --- how it looks ---------------------------------------------------------------------------------


def test_the_first_step_is_whole_on_the_smallest_terminal() -> None:
    async def look(story: Story) -> None:
        await story.at_step(VoiceStep)
        await story.type("Anna")
        await story.until_shown("are free on its disk")
        assert "Chinese" in story.text

    tell(look, new, (60, 18))


def test_the_advice_of_every_step_is_whole_at_80_columns() -> None:
    async def look(story: Story) -> None:
        for kind in (VoiceStep, SourcesStep, BaseStep, ProfileStep, BatchStep, SummaryStep):
            await story.at_step(kind)
            for field in story.setup.step.fields() if story.setup.step else []:
                field.focus()
                await story.pilot.pause()
                panel = story.setup.query_one("#wizard-advice", Lines)
                assert 0 < len(panel.lines) <= panel.size.height
            if kind is not SummaryStep:
                await story.press("ctrl+n")

    tell(look, new)
