"""`voicetui vocab` on projects: the base of their own, runs on it, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch
from helpers_project import error_of, finish, made_project
from helpers_vocab import GREEK, SWEDISH, new_language_project

from engine import project as projects
from engine.dataset import clips
from engine.errors import InputError, RefusedError, StopRequested
from engine.eventlog import read_all
from engine.events import Finished, Note, Stage, Warned
from engine.jobs import LOG_NAME
from engine.languages import LANGUAGES
from engine.project import Project
from engine.session import Session
from engine.xtts import base as bases
from engine.xtts import card, export, held_out, load, own_base, speak, vocab_job, vocab_resize
from engine.xtts.vocab import Vocabulary
from engine.xtts.vocab_train import Wish

SMALL = Wish(size=200, min_count=1)


def told(session: Session) -> list[Any]:
    return [record.event for record in read_all(session.job.folder / LOG_NAME)]


def done(session: Session) -> dict[str, Any]:
    """The summary of a session that finished."""
    outcome = finish(session)
    assert outcome.state == "finished", outcome.error
    (finished,) = [event for event in told(session) if isinstance(event, Finished)]
    return finished.summary


@pytest.fixture
def swedish(tmp_path: Path, tiny_base: Path) -> Project:
    return new_language_project(tmp_path / "svea", tiny_base, "sv", SWEDISH)


@pytest.fixture(scope="module")
def greek(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path, shared_home: Path) -> Project:
    """A Greek project whose vocabulary was extended, which was trained, and is exported."""
    from engine.xtts import train

    folder = tmp_path_factory.mktemp("greek") / "voice"
    project = new_language_project(folder, tiny_base, "el", GREEK)
    done(vocab_job.session(project, SMALL))
    project = projects.load(folder)
    done(train.session(project))
    done(export.session(project))
    return project


def test_the_project_gets_a_base_of_its_own(swedish: Project, tiny_base: Path) -> None:
    before = bases.file_hashes(tiny_base)
    assert swedish.new_language
    session = vocab_job.session(swedish, SMALL)
    summary = done(session)
    assert bases.file_hashes(tiny_base) == before
    project = projects.load(swedish.folder)
    assert (project.base, project.new_language) == ("base", False)
    assert "new_language" not in (project.folder / projects.FILE_NAME).read_text()
    base = project.folder / "base"
    assert Path(project.base_reference) == base.absolute()
    origin = own_base.read(base)
    assert origin is not None
    assert origin.base == str(tiny_base)
    config = json.loads((base / "config.json").read_bytes())
    assert config["languages"] == [*LANGUAGES, "sv"]
    rows = config["model_args"]["gpt_number_text_tokens"]
    old, new = load.state_of(tiny_base), load.state_of(base)
    assert rows == len(old[vocab_resize.BIAS]) + summary["new_tokens"]
    assert set(old) == set(new)
    for name, tensor in old.items():
        assert torch.equal(new[name][: len(tensor)] if tensor.dim() else new[name], tensor)
    events = told(session)
    assert [event.name for event in events if isinstance(event, Stage)] == [
        "cleaning texts",
        "learning",
        "comparing",
        "writing the base",
    ]
    assert {event.code for event in events if isinstance(event, Note)} == {
        "text",
        "new_tokens",
        "unknown_characters",
        "tokens_per_character",
        "old_text",
    }
    assert "little_text" in {event.code for event in events if isinstance(event, Warned)}
    assert summary["tokens_per_character"]["after"] < summary["tokens_per_character"]["before"]
    assert set(summary["old_text"]["changed"]) == set(LANGUAGES)


def test_a_dry_run_writes_nothing(swedish: Project) -> None:
    written = (swedish.folder / projects.FILE_NAME).read_bytes()
    assert done(vocab_job.session(swedish, SMALL, dry_run=True))["base"] == "not written"
    assert not (swedish.folder / "base").exists()
    assert (swedish.folder / projects.FILE_NAME).read_bytes() == written


def test_again_changes_nothing_and_other_wishes_begin_anew(swedish: Project) -> None:
    first = done(vocab_job.session(swedish, SMALL))
    model = swedish.folder / "base" / "model.pth"
    stamp = model.stat().st_mtime_ns
    # Once as the crash before the last write left it, once as it was left in the end.
    for project in (swedish, projects.load(swedish.folder)):
        assert done(vocab_job.session(project, SMALL))["base"] == "unchanged"
        assert model.stat().st_mtime_ns == stamp
    project = projects.load(swedish.folder)
    fewer = done(vocab_job.session(project, Wish(size=20, min_count=1)))
    assert fewer["base"] == "written"
    assert first["new_tokens"] > fewer["new_tokens"] == 21
    assert not list(swedish.folder.glob(".t*"))


def test_a_stop_leaves_the_project_as_it_was(swedish: Project, tiny_base: Path) -> None:
    written = (swedish.folder / projects.FILE_NAME).read_bytes()
    session = vocab_job.session(swedish, SMALL)
    session.stop("request")
    assert finish(session).state == "stopped"

    def stop() -> None:
        raise StopRequested("request")

    document = json.loads((tiny_base / "vocab.json").read_bytes())
    origin = own_base.Origin("tiny", "none", "sv", 0, "")
    with pytest.raises(StopRequested):
        vocab_resize.write(tiny_base, swedish.folder / "base", document, [], origin, stop)
    assert (swedish.folder / projects.FILE_NAME).read_bytes() == written
    assert not list(swedish.folder.glob("base*")) + list(swedish.folder.glob(".t*"))


def test_a_base_that_contradicts_itself_is_named(tmp_path: Path, tiny_base: Path) -> None:
    base = tmp_path / "odd"
    shutil.copytree(tiny_base, base)
    document = json.loads((base / "vocab.json").read_bytes())
    document["model"]["vocab"]["odd"] = 5_000
    (base / "vocab.json").write_text(json.dumps(document))
    project = new_language_project(tmp_path / "svea", base, "sv", SWEDISH, train=1)
    message = error_of(finish(vocab_job.session(project, SMALL)))
    assert "vocab.json wants 5,001" in message
    assert not (project.folder / "base").exists()


def test_a_vocabulary_that_was_changed_is_kept(swedish: Project) -> None:
    done(vocab_job.session(swedish, SMALL))
    project = projects.load(swedish.folder)
    vocab = project.folder / "base" / "vocab.json"
    vocab.write_bytes(vocab.read_bytes() + b"\n")
    outcome = finish(vocab_job.session(project, SMALL))
    assert isinstance(outcome.error, RefusedError)
    assert "was changed" in error_of(outcome)
    assert "--force" in error_of(outcome)
    assert done(vocab_job.session(project, SMALL, force=True))["base"] == "written"


def test_a_vocabulary_that_a_run_has_used_is_kept(greek: Project) -> None:
    before = bases.identity(greek.folder / "base")
    assert done(vocab_job.session(greek, SMALL))["base"] == "unchanged"
    outcome = finish(vocab_job.session(greek, Wish(size=50)))
    assert isinstance(outcome.error, RefusedError)
    assert "Run 0001" in error_of(outcome)
    assert "--force" in error_of(outcome)
    assert done(vocab_job.session(greek, Wish(size=50), dry_run=True))["base"] == "not written"
    assert bases.identity(greek.folder / "base") == before


def test_stock_coqui_loads_the_export_and_reads_old_languages_as_before(
    greek: Project, tiny_base: Path
) -> None:
    from TTS.tts.configs.xtts_config import XttsConfig
    from TTS.tts.models.xtts import Xtts

    folder = greek.export_dir / "New-Voice"
    config = XttsConfig()
    config.load_json(str(folder / "config.json"))
    model = Xtts.init_from_config(config)
    model.load_checkpoint(config, checkpoint_dir=str(folder), eval=True)
    assert "el" in config.languages
    # Greek letters do not touch these languages at all.
    before = load.tokenizer_of(tiny_base)
    for text, language in (("The dog ran home, didn't it?", "en"), ("Guten Morgen!", "de")):
        assert model.tokenizer.encode(text, language) == before.encode(text, language)
    voice = model.speaker_manager.speakers["New Voice"]
    torch.manual_seed(0)
    spoken = model.inference("Good morning.", "en", *voice.values())
    assert len(spoken["wav"]) > 0
    with pytest.raises(NotImplementedError):
        model.tokenizer.encode(GREEK[0], "el")
    card = (folder / "README.md").read_text("utf-8")
    assert "voicetui say" in card
    assert "new tokens for el" in card


def test_ours_speaks_the_new_language(greek: Project, tmp_path: Path) -> None:
    out = tmp_path / "greek.wav"
    spoken = speak.say(greek, GREEK[0], out, which="last")
    assert soundfile.info(out).duration == pytest.approx(spoken.seconds)
    vocabulary = Vocabulary(greek.folder / "base", "el")
    assert vocabulary.unknown(GREEK[0]) == set()


def test_an_export_as_base_keeps_its_card(greek: Project, tmp_path: Path) -> None:
    folder = greek.export_dir / "New-Voice"
    project = new_language_project(tmp_path / "second", folder, "sv", SWEDISH)
    done(vocab_job.session(project, SMALL))
    base = tmp_path / "second" / "base"
    assert len(card.lineage_of(base)) == 1
    assert card.lineage_of(base) == card.lineage_of(folder)
    assert held_out.read(base)[0].voice == "New Voice"
    assert card.licence_of(str(base)) == card.licence_of(str(folder))
    assert (base / "wavs" / "reference-01.wav").is_file()
    languages = json.loads((base / "config.json").read_bytes())["languages"]
    assert languages == [*LANGUAGES, "el", "sv"]
    for language in ("el", "sv", "en"):
        assert Vocabulary(base, language).count("a") > 1


def test_what_the_old_vocabulary_dropped_is_learned_from(swedish: Project) -> None:
    listed = clips.read(swedish.dataset_dir)
    dropped = [
        replace(clip, state="dropped", split="", reason=reason, text=f"{text} {text}")
        for clip, reason, text in zip(
            listed,
            (clips.Reason.UNKNOWN_CHARACTERS, clips.Reason.TOO_MANY_TOKENS, clips.Reason.NOISE),
            ("ωω", "ξξ", "ψψ"),
            strict=False,
        )
    ]
    clips.write(swedish.dataset_dir, dropped)
    summary = done(vocab_job.session(swedish, SMALL, dry_run=True))
    assert set(summary["new_characters"]) == {"ω", "ξ"}


def test_more_text_needs_no_clips(swedish: Project, tmp_path: Path) -> None:
    clips.write(swedish.dataset_dir, [])
    with pytest.raises(InputError, match=r"voicetui prepare.*--text FILE"):
        vocab_job.session(swedish, SMALL)
    more = tmp_path / "more.txt"
    more.write_text("\n".join(SWEDISH), "utf-8")
    assert done(vocab_job.session(swedish, SMALL, files=[more]))["base"] == "written"
    more.write_bytes("Båt".encode("latin-1"))
    with pytest.raises(InputError, match=r"more\.txt is not UTF-8"):
        vocab_job.session(swedish, SMALL, files=[more])
    more.write_text(" \n")
    with pytest.raises(InputError, match=r"more\.txt holds no text"):
        vocab_job.session(swedish, SMALL, files=[more])
    with pytest.raises(InputError, match=r"none\.txt cannot be read"):
        vocab_job.session(swedish, SMALL, files=[tmp_path / "none.txt"])


def test_a_base_folder_that_is_not_ours_is_left_alone(tmp_path: Path, tiny_base: Path) -> None:
    project = made_project(tmp_path / "voice", tiny_base)
    shutil.copytree(tiny_base, project.folder / "base")
    with pytest.raises(InputError, match=r"in the way.*Rename"):
        vocab_job.session(project, SMALL)
    projects.with_base(project, "base").save()
    with pytest.raises(InputError, match="never written to"):
        vocab_job.session(projects.load(project.folder), SMALL)
    assert not project.jobs_dir.exists()
    # What was refused holds nothing: another base can be extended at once.
    project = projects.with_base(project, str(tiny_base))
    shutil.move(project.folder / "base", project.folder / "old")
    assert done(vocab_job.session(project, SMALL))["language"] == "en"


def test_a_project_waits_for_its_vocabulary(swedish: Project, tmp_path: Path) -> None:
    from engine.xtts import train

    again = projects.load(swedish.folder)
    assert again.new_language
    outcome = finish(train.session(again))
    assert "voicetui vocab" in error_of(outcome)
    with pytest.raises(InputError, match="voicetui vocab"):
        speak.session(again, "Hej.")
    guess = Vocabulary(Path(again.base_reference), "sv", pending=True)
    assert guess.unknown("ωξψ") == set()
    assert guess.count("hej") > 0
    for code in ("Swedish", "s", "[sv]"):
        with pytest.raises(InputError, match="two or three letters"):
            projects.create(
                tmp_path / "other",
                name="Other",
                language=code,
                sources=[],
                base=again.base_reference,
                allow_new_language=True,
            )
