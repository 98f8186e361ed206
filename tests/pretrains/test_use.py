"""Which pretrain can be the base of a project, what that costs, and the command that makes it so."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine import lock, places, project
from engine.errors import BusyError, InputError, RefusedError
from engine.pretrains import use
from engine.pretrains.entry import Entry
from engine.project import Project
from engine.training.checkpoint import Progress, Snapshot, commit
from engine.xtts import own_base
from voicetui import cli, exit_codes

OLD, NEW = "xtts-v2.0.3", "xtts-v2.0.2"


def base(name: str = NEW, **known: object) -> Entry:
    return Entry(name, 24_000, "xtts", **known)  # type: ignore[arg-type]


@pytest.fixture
def voice(tmp_path: Path) -> Project:
    return project.create(tmp_path / "voice", name="Ada", language="hi", sources=[])


def put_vocab(name: str, *languages: str) -> None:
    """A vocabulary on this machine that knows only these languages."""
    folder = places.models_dir("xtts") / name
    folder.mkdir(parents=True)
    vocab = {f"[{code}]": number for number, code in enumerate(languages)}
    (folder / "vocab.json").write_text(json.dumps({"model": {"vocab": vocab}}))


def test_an_xtts_base_fits_and_is_written(voice: Project) -> None:
    assert use.fits(base(), voice) == use.costs(base(), voice) == ""
    assert use.is_used(base(OLD), voice)
    made = use.use(voice, base())
    assert (made.base, project.load(voice.folder).base) == (NEW, NEW)
    assert use.use(made, base()) == made


def test_an_rvc_pretrain_does_not_fit(voice: Project) -> None:
    told = use.fits(Entry("TITAN", 40_000), voice)
    assert "Applio" in told
    assert "comes later" in told
    with pytest.raises(InputError, match="comes later"):
        use.use(voice, Entry("TITAN", 40_000))


def test_a_base_must_know_the_language(voice: Project) -> None:
    put_vocab(NEW, "en", "de")
    told = "xtts-v2.0.2 does not know Hindi, the language of Ada"
    assert told in use.fits(base(), voice)
    with pytest.raises(InputError, match=told):
        use.use(voice, base(), force=True)
    assert project.load(voice.folder).base == OLD
    # Of one that is not here, the catalogue tells.
    assert use.fits(base("xtts-v2.0.1", languages=("en", "hi")), voice) == ""
    assert "does not know" in use.fits(base("xtts-v2.0.1", languages=("en",)), voice)


def test_a_base_of_ones_own_must_be_here(voice: Project) -> None:
    assert "not on this machine yet" in use.fits(base("mine"), voice)


def test_checkpoints_of_another_base_are_not_given_up_unasked(voice: Project) -> None:
    commit(voice.runs_dir / "0001", Snapshot(Progress(step=5), {}, {}, {}, {}, {}))
    assert "Run 0001 was trained from xtts-v2.0.3" in use.costs(base(), voice)
    with pytest.raises(RefusedError, match="--force"):
        use.use(voice, base())
    assert project.load(voice.folder).base == OLD
    assert use.use(voice, base(), force=True).base == NEW


def test_a_base_with_more_words_is_not_left_unasked(voice: Project) -> None:
    voice = project.with_base(voice, own_base.FOLDER)
    voice.save()
    assert "It stays in base/" in use.costs(base(), voice)


def test_a_job_that_works_keeps_its_base(voice: Project) -> None:
    with lock.hold(voice.folder, "train"), pytest.raises(BusyError):
        use.use(voice, base())


def test_what_changed_meanwhile_is_kept(voice: Project) -> None:
    replace(voice, name="Eva").save()
    assert use.use(voice, base()).name == "Eva"


def test_the_command(
    voice: Project, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(voice.folder.parent)
    assert cli.run(["pretrains", "use", NEW, "voice"]) == exit_codes.DONE
    out = capfdbinary.readouterr().out.decode()
    assert "Ada trains from xtts-v2.0.2 now." in out
    assert "voicetui pretrains get xtts-v2.0.2" in out
    put_vocab(OLD, "hi")
    assert cli.run(["pretrains", "use", OLD, "voice"]) == exit_codes.DONE
    assert b"next: voicetui prepare voice" in capfdbinary.readouterr().out
    assert cli.run(["pretrains", "use", "voice", OLD]) == exit_codes.WRONG_USE
    assert b"name comes first" in capfdbinary.readouterr().err
    assert cli.run(["pretrains", "use", "titan-40k", "voice"]) == exit_codes.WRONG_USE
    assert b"comes later" in capfdbinary.readouterr().err
    commit(voice.runs_dir / "0001", Snapshot(Progress(step=5), {}, {}, {}, {}, {}))
    assert cli.run(["pretrains", "use", NEW, "voice"]) == exit_codes.REFUSED
    assert b"--force" in capfdbinary.readouterr().err
    assert cli.run(["pretrains", "use", NEW, "voice", "--force"]) == exit_codes.DONE
