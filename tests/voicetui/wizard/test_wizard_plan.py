"""What a draft amounts to, without a screen."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from engine import project
from engine.xtts.base import FILES
from voicetui import cli
from voicetui.drafts import Draft
from voicetui.screens.wizard import plan


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "it's [my] $HOME; rec"
    folder.mkdir()
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    folder.mkdir()
    for name in FILES:
        (folder / name).touch()
    (folder / "vocab.json").write_text('{"model": {"vocab": {"[uk]": 0}}}')
    return folder


def draft(tmp_path: Path, **answers: object) -> Draft:
    whole = replace(
        plan.new_draft(), name="Anna", language="german", folder=str(tmp_path / "voice")
    )
    return replace(whole, **answers)  # type: ignore[arg-type]


def test_a_whole_draft_has_no_problems(tmp_path: Path, recordings: Path) -> None:
    assert plan.problems(draft(tmp_path, sources=(str(recordings),)), None) == {}


@pytest.mark.parametrize(
    ("answers", "step", "told"),
    [
        ({"name": ""}, "voice", "A voice's name must not be empty"),
        ({"name": "a|b"}, "voice", "A voice's name must not be empty"),
        ({"language": "germn"}, "voice", "Did you mean German?"),
        ({"folder": " "}, "voice", "Name the folder"),
        ({"folder": "/proc/version/voice"}, "voice", "is a file"),
        ({"sources": ("/not/there",)}, "recordings", "There is no recording or folder"),
        ({"base": "/not/there"}, "base", "There is no base folder"),
        ({"base": "xtts-v2.0.9"}, "base", "Did you mean xtts-v2.0"),
        ({"profile": "acent"}, "profile", "Did you mean accent?"),
        ({"values": {"training.epochs": "many"}}, "batch", "a whole number from 1 to"),
    ],
)
def test_a_problem_is_told_at_its_step_in_the_engines_words(
    tmp_path: Path, answers: dict[str, object], step: str, told: str
) -> None:
    found = plan.problems(draft(tmp_path, **answers), None)
    assert list(found) == [step]
    assert told in found[step]


def test_paths_that_no_system_takes_are_told_and_not_raised(tmp_path: Path) -> None:
    for text in ("a" * 5000, "a\x00b"):
        assert plan.problems(draft(tmp_path, folder=f"/{text}"), None) is not None
        assert plan.base_problem(draft(tmp_path, base=f"/{text}"), None)
        assert plan.source_problem(draft(tmp_path), Path(f"/{text}"))


def test_a_language_of_the_base_is_allowed(tmp_path: Path, base: Path) -> None:
    assert plan.language_problem(draft(tmp_path, language="uk"))
    assert not plan.language_problem(draft(tmp_path, language="uk", base=str(base)))


def test_a_project_that_waits_for_its_vocabulary_can_be_changed(tmp_path: Path, base: Path) -> None:
    folder = tmp_path / "svea"
    before = project.create(
        folder, name="Svea", language="sv", sources=[], base=str(base), allow_new_language=True
    )
    asked = plan.draft_of(before)
    assert plan.problems(asked, before) == {}
    renamed = replace(asked, name="Svea two")
    assert project.load(plan.save(renamed, before).folder).new_language
    known = replace(renamed, language="german")
    assert not project.load(plan.save(known, before).folder).new_language


def test_a_new_language_is_taken_once_a_person_says_so(tmp_path: Path, base: Path) -> None:
    asked = draft(tmp_path, language="SV", base=str(base))
    assert plan.may_be_new(asked)
    assert not plan.is_new(asked)
    taken = replace(asked, new_language="sv")
    assert plan.problems(taken, None) == {}
    assert plan.is_new(taken)
    assert plan.language_problem(replace(taken, language="el")), "that was said of another one"
    assert not plan.may_be_new(replace(asked, language="klingonish")), "that is no code"
    for known in (replace(taken, language="uk", new_language="uk"), replace(taken, language="de")):
        assert not plan.is_new(known)
        assert "--allow-new-language" not in plan.command(known)
    made = plan.save(taken, None)
    assert made.new_language
    (tmp_path / "voice" / "project.toml").unlink()
    assert cli.run(shlex.split(" ".join(plan.command(taken)))[1:]) == 0
    assert project.load(tmp_path / "voice") == made
    german = replace(plan.draft_of(made), language="de")
    changed = plan.save(german, made)
    assert plan.save(taken, changed).new_language


def test_only_what_differs_from_the_profile_is_the_projects_own(tmp_path: Path) -> None:
    values = {"training.epochs": "20", "training.batch_size": "2", "dataset.asr_model": "auto"}
    found = plan.own_values(draft(tmp_path, profile="accent", values=values))
    assert found == {"training.batch_size": 2}


def test_another_profile_takes_over_what_either_speaks_of(tmp_path: Path) -> None:
    values = {
        "training.epochs": "22",
        "training.batch_size": "2",
        "training.accumulation": "4",
        "training.seed": "7",
    }
    before = draft(tmp_path, values=values)
    kept = plan.with_profile(before, "accent")
    assert kept == {key: values[key] for key in values if key != "training.epochs"}
    assert plan.with_profile(before, "stylized") == {"training.seed": "7"}, "batch goes as one"


def test_the_command_line_makes_the_same_project(
    tmp_path: Path, recordings: Path, base: Path
) -> None:
    whole = draft(
        tmp_path,
        name="Zoë O'Hara [x]",
        language="uk",
        base=str(base),
        profile="stylized",
        sources=(str(recordings), str(base / "config.json")),
        values={"training.epochs": "22", "dataset.asr_model": 'a "quoted" \\ $path'},
    )
    made = plan.save(whole, None)
    text = (tmp_path / "voice" / "project.toml").read_text()
    (tmp_path / "voice" / "project.toml").unlink()
    assert cli.run(shlex.split(" ".join(plan.command(whole)))[1:]) == 0
    assert (tmp_path / "voice" / "project.toml").read_text() == text
    assert project.load(tmp_path / "voice") == made


def test_a_plain_command_line_names_no_defaults(tmp_path: Path) -> None:
    whole = draft(tmp_path, name="voice")
    assert plan.command(whole) == [f"voicetui new {tmp_path}/voice", "--language de"]


def test_an_existing_project_comes_through_unchanged(tmp_path: Path, recordings: Path) -> None:
    (tmp_path / "voice").mkdir()
    text = (
        'format = 1\nname = "Anna"\nlanguage = "de"\nbase = "xtts-v2.0.3"\n'
        'profile = "accent"\nsources = [\n    "../gone",\n    "inside.wav",\n]\n\n'
        "[training]\nbatch_size = 2\nlearning_rate = 1e-05\n"
    )
    (tmp_path / "voice" / "project.toml").write_text(text)
    before = project.load(tmp_path / "voice")
    assert plan.problems(plan.draft_of(before), before) == {}, "a disk may be away"
    plan.save(plan.draft_of(before), before)
    assert (tmp_path / "voice" / "project.toml").read_text() == text


def test_a_change_keeps_the_rest(tmp_path: Path, recordings: Path) -> None:
    made = plan.save(draft(tmp_path, values={"training.seed": "7"}), None)
    changed = replace(plan.draft_of(made), name="Berta", sources=(str(recordings),))
    plan.save(changed, made)
    now = project.load(made.folder)
    assert (now.name, now.source_paths, now.values) == ("Berta", [recordings], {"training.seed": 7})


@pytest.mark.parametrize(
    ("name", "folder"), [("Zoë O'Hara", "zoë-o-hara"), ("../..", ""), (" [x] ", "x"), ("", "")]
)
def test_a_name_suggests_a_folder(
    name: str, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert plan.folder_for(name) == (str(tmp_path / folder) if folder else "")
