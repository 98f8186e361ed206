"""Voices one after the other: an export is a base, and what it learned before is measured and spoken."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from helpers_project import error_of, finish, made_project
from helpers_xtts import MadeClip, hex_losses, made_dataset

from engine.errors import InputError
from engine.eventlog import read_all
from engine.events import Evaluated, Event, Lineage, VoiceEvaluated
from engine.jobs import LOG_NAME
from engine.project import Project
from engine.status import read_state
from engine.training import runs
from engine.xtts import export, kept_voices, speak, speak_export, speak_process, train


@dataclass(frozen=True)
class Voices:
    """Anna, trained for an epoch and exported, and Ben, trained for two on top of her."""

    anna: Path
    ben: Project
    exported: Path


def named(folder: Path, base: Path, name: str, made: list[MadeClip], **settings: Any) -> Project:
    project = replace(made_project(folder, base, made, **settings), name=name)
    project.save()
    return project


def trained(project: Project, **how: Any) -> Project:
    outcome = finish(train.session(project, **how))
    assert outcome.state == "finished", outcome.error
    return project


def exported(project: Project) -> Path:
    outcome = finish(export.session(project, checkpoint="last"))
    assert outcome.state == "finished", outcome.error
    return project.export_dir / project.name


def events_of(project: Project) -> list[Event]:
    return [record.event for record in read_all(project.runs_dir / "0001" / LOG_NAME)]


def card_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "voicetui.json").read_text()))


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, shared_home: Path) -> Voices:
    folder = tmp_path_factory.mktemp("voices")
    made = made_dataset(folder / "anna" / "dataset", train=3, held_out=2)
    anna = exported(trained(named(folder / "anna", tiny_base, "Anna", made, epochs=1)))
    ben = trained(named(folder / "ben", anna, "Ben", other_clips(folder / "ben"), epochs=2))
    return Voices(anna, ben, exported(ben))


def other_clips(folder: Path) -> list[MadeClip]:
    return made_dataset(folder / "dataset", train=4, held_out=1)


def test_an_earlier_voice_is_measured_at_the_start_and_at_each_evaluation(voices: Voices) -> None:
    told = events_of(voices.ben)
    measured = [event for event in told if isinstance(event, VoiceEvaluated)]
    own = [event for event in told if isinstance(event, Evaluated)]
    assert [(e.voice, e.clips) for e in measured] == [("Anna", 2)] * 3
    assert [(e.step, e.epoch) for e in measured] == [(0, 0), *((e.step, e.epoch) for e in own)]
    start, *later = measured
    assert (start.first, start.change) == (start.loss, 0.0)
    for event in later:
        assert event.first == start.loss
        assert event.change == pytest.approx(event.loss - start.loss)
        assert event.loss == pytest.approx(0.01 * event.text_ce + event.mel_ce)
    assert later[-1].loss != start.loss
    assert [event for event in told if isinstance(event, Lineage)] == [Lineage("Ben", {"Anna": 1})]


def test_measuring_changes_nothing_of_the_training(voices: Voices, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(voices.anna, bare, ignore=shutil.ignore_patterns("held_out"))
    alone = named(tmp_path / "ben", bare, "Ben", other_clips(tmp_path / "ben"), epochs=2)
    told = events_of(trained(alone))
    assert not [event for event in told if isinstance(event, VoiceEvaluated)]
    assert hex_losses(told) == hex_losses(events_of(voices.ben))


def test_a_run_that_goes_on_keeps_the_first_losses(voices: Voices, tmp_path: Path) -> None:
    made = other_clips(tmp_path / "ben")
    project = trained(named(tmp_path / "ben", voices.anna, "Ben", made, epochs=1))
    trained(runs.with_more(project, 1), resume=True)
    measured = [event for event in events_of(project) if isinstance(event, VoiceEvaluated)]
    assert [event.epoch for event in measured] == [0, 1, 2]
    assert len({event.first for event in measured}) == 1
    assert read_state(project.runs_dir / "0001").voice_epochs == {"Anna": 1, "Ben": 2}


def test_the_card_keeps_the_lineage_and_the_epochs_of_each_voice(voices: Voices) -> None:
    card = card_of(voices.exported)
    (before,) = card["lineage"]
    assert (before["voice"], before["language"], before["epochs"]) == ("Anna", "en", 1)
    assert card["voice_epochs"] == {"Anna": 1, "Ben": 2}
    (anna,) = card["earlier_voices"]
    assert (anna["voice"], anna["epoch"]) == ("Anna", 2)
    text = (voices.exported / "README.md").read_text()
    assert "Anna (1 epochs)" not in text
    assert "Voices trained before: Anna (1 epoch)" in text
    assert f"| Anna | {anna['first']:.4f} | {anna['loss']:.4f} |" in text


def test_an_export_takes_the_clips_of_all_its_voices_along(voices: Voices) -> None:
    card, folder = card_of(voices.exported), voices.exported / "held_out"
    assert sorted(path.name for path in folder.iterdir()) == ["Anna", "Ben"]
    for name in ("clip-01.wav", "clip-02.wav", "clips.json"):
        path = folder / "Anna" / name
        assert path.read_bytes() == (voices.anna / "held_out" / "Anna" / name).read_bytes()
        assert f"held_out/Anna/{name}" in card["files"]


def test_each_learned_voice_speaks_from_the_project_and_from_the_export(
    voices: Voices, tmp_path: Path
) -> None:
    ours = speak.say(voices.ben, "Yes.", tmp_path / "1.wav", which="last", earlier="Anna")
    asked = {"folder": str(voices.ben.folder), "text": "Yes.", "out": str(tmp_path / "4.wav")}
    asked |= {"which": "last", "earlier": "Anna", "seed": 0}
    speak_process._speak(asked, lambda _: None)
    repeated = (tmp_path / "4.wav").read_bytes()
    assert repeated == ours.path.read_bytes(), "the same seed says the same"
    assert kept_voices.learned_before(voices.ben) == {"Anna": "en"}
    theirs = speak_export.say(voices.exported, "Yes.", tmp_path / "2.wav", voice="Anna")
    ben = speak_export.say(voices.exported, "Yes.", tmp_path / "3.wav")
    assert ours.path.read_bytes() == theirs.path.read_bytes()
    assert ben.path.read_bytes() != theirs.path.read_bytes()
    assert ben.step == ours.step


def test_a_voice_that_nobody_knows_is_answered_with_those_that_are_known(
    voices: Voices, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"no voice called 'Ana'.*mean Anna.*learned: Anna, Ben\."):
        speak.say(voices.ben, "Yes.", tmp_path / "1.wav", which="last", earlier="Ana")
    with pytest.raises(InputError, match=r"learned: Anna, Ben\."):
        kept_voices.latents_of(voices.exported, "Carl")
    with pytest.raises(InputError, match="--language"):
        speak_export.say(voices.exported, "Yes.", tmp_path / "1.wav", language="sv")


def _shorten(wav: Path) -> None:
    wav.write_bytes(wav.read_bytes()[:-2])


def _no_list(wav: Path) -> None:
    wav.with_name("clips.json").write_text("[1")


def test_the_command_takes_a_project_or_an_export(
    voices: Voices, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from voicetui import cli

    out = str(tmp_path / "1.wav")
    assert cli.run(["say", str(voices.exported), "Yes.", "-o", out, "--voice", "Anna"]) == 0
    assert (tmp_path / "1.wav").is_file()
    for folder in (voices.exported, voices.ben.folder):
        assert cli.run(["say", str(folder), "Yes.", "-o", out, "--voice", "Dora"]) == 2
        assert "It has learned: Anna, Ben." in capfd.readouterr().err


@pytest.mark.parametrize("spoil", [Path.unlink, _shorten, _no_list])
def test_damaged_clips_of_an_earlier_voice_end_the_run_before_its_first_step(
    spoil: Callable[[Path], None], voices: Voices, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(voices.anna, base)
    spoil(base / "held_out" / "Anna" / "clip-01.wav")
    made = other_clips(tmp_path / "ben")
    outcome = finish(train.session(named(tmp_path / "ben", base, "Ben", made)))
    assert "is damaged" in error_of(outcome)
    assert "without measuring" in error_of(outcome)
