"""The advice names only what exists: settings, commands, keys; and how its texts are laid out."""

from __future__ import annotations

import re
import shlex
from importlib import resources
from itertools import pairwise
from typing import Any

import pytest
from rich.cells import cell_len
from typer.main import get_command

from engine import gpu_tiers, profile, settings
from engine.project import DEFAULT_BASE
from engine.settings import SETTINGS
from engine.xtts import base
from voicetui import cli, guide, keys
from voicetui.guide import Block, Topic
from voicetui.guide.layout import lay_out
from voicetui.guide.topics import SCREENS, TEXTS, keys_topic, screens_topic, settings_topic, topics
from voicetui.widgets.styled import plain

FILES = {
    file.name: file.read_text(encoding="utf-8")
    for file in resources.files(guide).iterdir()
    if file.name.endswith(".txt")
}
NAMES = {row.name for row in SETTINGS.values()}
KEY_NAMES = {key.id: keys.names(key.keys) for key in keys.TABLE}
# What a reader of the text on pretrains is to learn, each by the words that tell it.
PROMISES = (
    *("women and men, young and old", "several languages", "less time", "sounds better"),
    *("Trained from nothing", "Trained from another pretrain", "the worst kind"),
    *("tick Custom Pretrained", "Download Pretrained Models", "pretraineds_custom"),
    *("assets/pretrained_v2", "Near the train button", "pretrain-models of AI HUB"),
    *("At least 50 hours", "low, mid and high quality", "many speakers"),
    *("At least 10 hours of clean speech", "a language, an accent", "g/total"),
    *("mirrored", "Any training of a pretrain", "about 8 kHz", "training from scratch"),
    *("adds it to every model", "3.2.8", "Without a good card", "Up to 4", "From 16 on"),
    *("less memory", "overtrain", "faster", "more memory", "There is no best pretrain"),
)
# A project's folder in examples, and what stands for a value that a person puts in.
EXAMPLE, PLACEHOLDERS = "anna", {"KEY=VALUE", "DIR"}


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def commands(group: Any, before: str = "") -> dict[str, set[str]]:
    """The options of each command; those of a group as "pretrains list"."""
    found: dict[str, set[str]] = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found |= commands(command, f"{before}{name} ")
            continue
        parameters = command.params
        found[before + name] = {
            option
            for parameter in parameters
            for option in (*parameter.opts, *parameter.secondary_opts)
        }
    return found


COMMANDS = commands(get_command(cli._make_app()))
GROUPS = {name.partition(" ")[0] for name in COMMANDS if " " in name}


def check_command(line: str) -> None:
    _, command, *arguments = shlex.split(line)
    if command == EXAMPLE:
        return
    if command in GROUPS:
        assert arguments, line
        command = f"{command} {arguments.pop(0)}"
    assert command in COMMANDS, line
    options = [argument for argument in arguments if argument.startswith("--")]
    assert set(options) <= COMMANDS[command], line
    for option, value in pairwise(arguments):
        if option == "--set" and value not in PLACEHOLDERS:
            settings.parse_assignments([value])


def is_known(code: str) -> bool:
    choices = {choice for row in SETTINGS.values() for choice in row.choices}
    return code in NAMES | choices | set(profile.available()) | set(base.known())


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_setting_and_command_of_a_text_exists(name: str) -> None:
    for code in codes(FILES[name]):
        if code.startswith("voicetui "):
            check_command(code)
        elif code.startswith("--"):
            assert any(code in options for options in COMMANDS.values()), code
        elif "=" in code:
            settings.parse_assignments([code])
        else:
            assert is_known(code), code


@pytest.mark.parametrize("name", sorted(FILES))
def test_each_key_of_a_text_exists(name: str) -> None:
    assert set(re.findall(r"\{([^}]*)\}", FILES[name])) <= {key.id for key in keys.TABLE}


def test_the_check_would_see_what_is_missing() -> None:
    assert not is_known("worker_threads")
    with pytest.raises(AssertionError):
        check_command("voicetui merge anna")
    with pytest.raises(AssertionError):
        check_command("voicetui train anna --faster")
    with pytest.raises(AssertionError):
        check_command("voicetui pretrains bake anna")
    with pytest.raises(AssertionError):
        check_command("voicetui pretrains list --faster")


@pytest.mark.parametrize("name", sorted(FILES))
def test_defaults_that_a_text_tells_are_those_of_the_settings(name: str) -> None:
    for setting, told in re.findall(r"`(\w+)`, default ([\d.e-]*\d)", FILES[name]):
        assert float(told) == settings.find(setting, "it").default, setting


def test_every_setting_of_training_that_moves_the_walk_is_in_the_advice() -> None:
    told = set(codes(FILES["minima.txt"]))
    wanted = "batch_size learning_rate scheduler accumulation gradient_clip restart_epochs"
    assert set(wanted.split()) | {"restart_growth", "early_stop_epochs", "dropout"} <= told


def test_every_number_of_a_run_is_explained() -> None:
    headings = " ".join(b.text for b in guide.topic("numbers").blocks if b.kind == "heading")
    for number in ("text_ce", "mel_ce", "average loss", "Held-out", "Learning rate", "Best model"):
        assert number in headings
    for number in ("Gradient norm", "Loader time", "ETA", "Epoch and step", "Memory"):
        assert number in headings


def test_every_symptom_says_what_is_seen_why_and_what_to_do() -> None:
    labels: dict[str, set[str]] = {}
    heading = ""
    for block in guide.topic("troubleshooting").blocks:
        if block.kind == "heading":
            heading = block.text
            labels[heading] = set()
        elif block.kind == "labelled":
            labels[heading].add(block.label)
    assert len(labels) >= 10
    assert {frozenset(found) for found in labels.values()} == {frozenset({"You see", "Why", "Do"})}


def test_the_default_base_is_the_one_that_the_texts_name() -> None:
    assert f"`{DEFAULT_BASE}`" in FILES["screen-setup.txt"]
    assert f"`{profile.DEFAULT}`" in FILES["screen-setup.txt"]


def test_the_tiers_of_cards_are_those_of_the_list() -> None:
    told = {block.label: block.text for block in guide.topic("pretrains").blocks}
    for card, tier in gpu_tiers.cards().items():
        model = card.removeprefix("RTX ")
        number, _, kind = model.partition(" ")
        assert number in told[f"{tier} tier"], card
        assert kind in told[f"{tier} tier"], card


def test_every_promise_of_the_seed_stands_in_the_text_on_pretrains() -> None:
    text = " ".join(f"{b.label} {b.text}" for b in guide.topic("pretrains").blocks)
    for words in PROMISES:
        assert words in text, words


def test_all_files_are_shown() -> None:
    assert set(FILES) == {f"{name}.txt" for name in TEXTS} | {f"screen-{n}.txt" for n in SCREENS}


# --- reading ----------------------------------------------------------------------------------


def test_a_text_is_read_into_its_blocks() -> None:
    text = (
        "A line\nand more.\n\n## Head\nGood :: It\nfalls.\n- one\n  thing\n- two\n    kept  as is\n"
    )
    assert list(guide.parse(text)) == [
        Block("text", "A line and more."),
        Block("gap"),
        Block("heading", "Head"),
        Block("labelled", "It falls.", "Good"),
        Block("item", "one thing"),
        Block("item", "two"),
        Block("kept", "kept  as is"),
        Block("gap"),
    ]


def test_no_text_leaves_marks_of_its_form_behind() -> None:
    for topic in topics("home", {}):
        for block in topic.blocks:
            assert not re.search(r" :: |^[#-] ", block.text), block


# --- layout -----------------------------------------------------------------------------------


def shown(topic: Topic, width: int) -> list[str]:
    return [plain(line) for line in lay_out(topic, width, KEY_NAMES.__getitem__).lines]


@pytest.mark.parametrize("width", [58, 78, 200])
def test_every_line_fits(width: int) -> None:
    for topic in topics("dashboard", {}):
        drawn = {block.text for block in topic.blocks if block.kind == "kept"}
        for line in shown(topic, width):
            # Drawings keep their lines, which are for 80 columns.
            assert cell_len(line) <= width or (drawn and cell_len(line) <= 78), line


def test_settings_and_commands_are_coloured_and_keys_are_named() -> None:
    topic = Topic("t", "T", (Block("text", "Set `epochs`, then press {doctor.again}."),))
    line = lay_out(topic, 60, {"doctor.again": "R"}.__getitem__).lines[1]
    assert plain(line) == "  Set epochs, then press R."
    assert ("epochs", "accent") in line
    assert ("R", "inverse") in line


def test_labels_share_a_column() -> None:
    topic = Topic(
        "t", "T", (Block("labelled", "one " * 20, "Ab"), Block("labelled", "two", "Abcdef"))
    )
    assert shown(topic, 40)[1].index("one") == shown(topic, 40)[-1].index("two")
    assert shown(topic, 40)[2].index("one") == shown(topic, 40)[-1].index("two")


@pytest.mark.parametrize("wanted", ["beta gamma", "BETA", "gamma delta"])
def test_what_is_found_may_be_broken_over_lines(wanted: str) -> None:
    topic = Topic("t", "T", (Block("text", "x"), Block("text", "alpha " * 3 + "beta gamma delta")))
    laid = lay_out(topic, 22, lambda key: key)
    found = laid.find(wanted)
    assert len(found) == 1
    assert wanted.split()[0].lower() in plain(laid.lines[found[0]])


def test_nothing_is_found_where_nothing_is() -> None:
    assert lay_out(guide.topic("minima"), 78, lambda key: key).find("no such words") == []


# --- topics that come from tables ---------------------------------------------------------------


def test_the_keys_of_the_screen_come_first_and_all_are_there() -> None:
    topic = keys_topic("doctor", {"doctor.again": "R"})
    headings = [block.text for block in topic.blocks if block.kind == "heading"]
    assert headings == ["Doctor", "In every list and text", "Everywhere", "Help"]
    labelled = {block.text: block.label for block in topic.blocks if block.kind == "labelled"}
    for key in keys.TABLE:
        if key.scope in ("doctor", keys.LIST, keys.EVERYWHERE):
            assert key.help in labelled
    assert labelled["Check everything again."] == "R"


@pytest.mark.parametrize("scope", SCREENS)
def test_the_page_of_the_screen_comes_first(scope: str) -> None:
    headings = [b.text for b in screens_topic(scope).blocks if b.kind == "heading"]
    assert headings[0].lower() == scope
    assert len(headings) == len(SCREENS)


def test_every_setting_is_listed_with_its_default() -> None:
    text = "\n".join(shown(settings_topic(), 78))
    for row in SETTINGS.values():
        assert re.search(rf"^  {row.name} ", text, re.MULTILINE), row.name
    assert "5e-06 unless set" in text
