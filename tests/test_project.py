from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from engine import project
from engine.errors import BaseModelError, InputError, RefusedError, SettingError
from engine.project import Project
from engine.xtts.base import FILES

GOOD = """
format = 1
name = "Anna"
language = "en"
base = "xtts-v2.0.3"
profile = "standard"
sources = ["recordings"]
"""


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The six files of a base, with a vocabulary that knows Ukrainian."""
    folder = tmp_path / "base"
    folder.mkdir()
    for name in FILES:
        (folder / name).touch()
    (folder / "vocab.json").write_text('{"model": {"vocab": {"[uk]": 0}}}')
    return folder


def write(folder: Path, text: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "project.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def test_what_is_made_can_be_loaded(tmp_path: Path, recordings: Path, base: Path) -> None:
    made = project.create(
        tmp_path / "voice",
        name="  Zoë O'Hara ",
        language="UK",
        sources=[recordings],
        base=str(base),
        profile_name="stylized",
        values={"training.epochs": 22, "dataset.asr_model": 'a "quoted" \\ path'},
    )
    assert project.load(tmp_path / "voice") == made
    assert made.name == "Zoë O'Hara"
    assert made.language == "uk"
    assert made.base == str(base)
    assert made.settings.training.epochs == 22
    assert made.settings.training.learning_rate == 3e-6
    assert made.settings.dataset.asr_model == 'a "quoted" \\ path'


def test_a_project_needs_no_more_than_a_name(tmp_path: Path, recordings: Path) -> None:
    made = project.create(tmp_path / "a" / "voice", name="A", language="en", sources=[recordings])
    assert made.base == "xtts-v2.0.3"
    assert made.settings.training.epochs == 15
    document = tomllib.loads((made.folder / "project.toml").read_text(encoding="utf-8"))
    assert set(document) == {"format", "name", "language", "base", "profile", "sources"}


def test_sources_inside_the_project_move_with_it(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "voice"
    inside = folder / "raw" / "a.wav"
    inside.parent.mkdir(parents=True)
    inside.touch()
    beside = tmp_path / "voice-notes"
    beside.mkdir()
    monkeypatch.chdir(tmp_path)
    sources = [Path("voice/raw/a.wav"), Path("voice/raw"), Path("recordings"), Path("voice-notes")]
    made = project.create(Path("voice"), name="A", language="en", sources=sources)
    assert made.sources == ("raw/a.wav", "raw", str(recordings), str(beside))
    folder.rename(tmp_path / "moved")
    monkeypatch.chdir("/")
    paths = project.load(tmp_path / "moved").source_paths
    assert paths[0] == tmp_path / "moved" / "raw" / "a.wav"
    assert all(path.exists() for path in paths)


def test_changed_settings_hold_for_one_time_and_are_never_written(tmp_path: Path) -> None:
    made = project.load(write(tmp_path / "voice", GOOD + "[training]\nepochs = 3\n"))
    changed = made.with_values({"training.seed": 9})
    assert changed.settings.training.seed == 9
    assert changed.own_settings == made.settings
    changed.save()
    assert project.load(made.folder).settings == made.settings


def test_every_room_lies_in_the_project(tmp_path: Path) -> None:
    made = project.load(write(tmp_path / "voice", GOOD))
    rooms = [made.dataset_dir, made.cache_dir, made.runs_dir, made.jobs_dir, made.export_dir]
    assert [room.name for room in rooms] == ["dataset", "cache", "runs", "jobs", "export"]
    assert {room.parent for room in rooms} == {made.folder}


def test_a_project_is_never_overwritten(tmp_path: Path, recordings: Path) -> None:
    folder = write(tmp_path / "voice", "not even TOML")
    with pytest.raises(RefusedError, match="already holds a voice project"):
        project.create(folder, name="A", language="en", sources=[recordings])
    assert (folder / "project.toml").read_text() == "not even TOML"


def make(tmp_path: Path, **changes: object) -> Project:
    wishes: dict[str, object] = {"name": "A", "language": "en", "sources": []} | changes
    return project.create(tmp_path / "voice", **wishes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name", ["", "  ", ".", "..", "a|b", "../x", "a/b", "a\nb", "\x1b[2J", "a\u202eb"]
)
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="A voice's name must not be") as caught:
        make(tmp_path, name=name)
    assert "\x1b" not in str(caught.value)
    assert not (tmp_path / "voice").exists()
    Project(tmp_path / "voice", name, "en", "xtts-v2.0.3", "standard", (), {}).save()
    with pytest.raises(SettingError, match=r"project\.toml: .*name must (not )?be"):
        project.load(tmp_path / "voice")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"language": "klingon"}, InputError, "does not know the language 'klingon'"),
        ({"profile_name": "acent"}, InputError, "Did you mean accent?"),
        ({"base": "xtts-v2.0.9"}, InputError, "Did you mean xtts-v2.0"),
        ({"base": "/no/such/folder"}, BaseModelError, "There is no base folder"),
        ({"sources": [Path("/no/such.wav")]}, InputError, "There is no recording or folder"),
    ],
)
def test_a_wish_that_cannot_be_met_makes_nothing(
    tmp_path: Path, changes: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(tmp_path, **changes)
    assert not (tmp_path / "voice").exists()


def test_a_base_folder_that_is_not_whole_makes_nothing(tmp_path: Path, base: Path) -> None:
    (base / "dvae.pth").rename(base / "dvae.pt")
    with pytest.raises(BaseModelError, match=r"dvae\.pth \(rename dvae\.pt\?\)"):
        make(tmp_path, base=str(base))
    assert not (tmp_path / "voice").exists()


def test_a_source_whose_name_is_no_text_is_refused(tmp_path: Path) -> None:
    source = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wav"))
    source.touch()
    with pytest.raises(InputError, match="is not valid UTF-8") as caught:
        make(tmp_path, sources=[source])
    str(caught.value).encode()
    assert not (tmp_path / "voice").exists()


def test_a_folder_without_a_project_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'voicetui new'"):
        project.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff\xfe", "is not valid TOML"),
        ("format = ", "is not valid TOML"),
        ("", "format is None; this version reads format 1"),
        (GOOD.replace("= 1", "= 2"), "format is 2; this version reads format 1"),
        (GOOD.replace("= 1", '= "1"'), "format is '1'"),
        (GOOD + "colour = 3", "there is no key 'colour'"),
        (GOOD.replace("language", "lanuage"), "there is no key 'lanuage'. Did you mean language?"),
        (GOOD + "[trainning]", "Did you mean training?"),
        (GOOD.replace('name = "Anna"', ""), "name must be text, found None"),
        (GOOD.replace('"Anna"', "7"), "name must be text, found 7"),
        (GOOD.replace('"Anna"', '""'), "name must be text, found ''"),
        (GOOD.replace('"en"', '["en"]'), "language must be text"),
        (GOOD.replace('"en"', '"englsh"'), "Did you mean English?"),
        (GOOD.replace('"xtts-v2.0.3"', "2.03"), "base must be text, found 2.03"),
        (GOOD.replace('"standard"', "true"), "profile must be text, found True"),
        (GOOD.replace("standard", "standart"), "Did you mean standard?"),
        (GOOD.replace('["recordings"]', '"recordings"'), "sources must be a list of paths"),
        (GOOD.replace('["recordings"]', "[1]"), "sources must be a list of paths"),
        (GOOD + "training = 3", "[training] must be a table of settings"),
        (GOOD + "[training]\nepoch = 3", "Did you mean training.epochs?"),
        (
            GOOD + "[training]\nepochs = 0",
            "training.epochs is 0, but must be a whole number from 1",
        ),
        (GOOD + "[training]\nepochs = true", "training.epochs is True"),
        (GOOD + "[training]\ndropout = nan", "training.dropout is nan"),
        (GOOD + "[dataset]\nasr_device = 'tpu'", "one of auto, cpu, cuda"),
        (GOOD + '"\\u001b[2J" = 3', "there is no key '␛[2J'"),
    ],
)
def test_a_bad_project_file_is_told_with_file_key_and_remedy(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    folder = write(tmp_path / "voice", text)
    with pytest.raises(SettingError) as caught:
        project.load(folder)
    assert message in str(caught.value)
    assert str(folder / "project.toml") in str(caught.value)


def test_files_are_utf8_whatever_the_locale_says(tmp_path: Path) -> None:
    # Python warns of every text file that is opened in the locale's encoding; make that an error.
    work = f"""
from pathlib import Path
from engine import lock, profile, project, requests
made = project.create(Path({str(tmp_path / "voice")!r}), name="Zoë", language="en", sources=[])
assert project.load(made.folder) == made
profile.available()
with lock.hold(made.folder, "train"):
    assert lock.holder(made.folder)
requests.post(made.folder, "speak", text="Grüße")
assert requests.take(made.folder)[0].options == {{"text": "Grüße"}}
"""
    options = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning"]
    done = subprocess.run(
        [sys.executable, *options, "-c", work], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
