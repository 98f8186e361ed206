"""Each bad input gets a line that names it and says what to do, and costs nothing else."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from helpers_audio import encode, tone
from helpers_hearing import Babbler
from helpers_preparing import preparing
from helpers_recordings import piece, recordings_project
from helpers_rights import as_a_user

from engine import project as projects
from engine.dataset import accounting, clips, sources
from engine.errors import DiskFullError, InputError, VoicetuiError
from engine.events import Event, Note, Progress, SourceFailed, SourcePrepared, Stage, Warned
from engine.project import Project
from engine.text import clean

RATE = 16_000
SOUND = tone(3.0, RATE)


@dataclass(frozen=True)
class Run:
    events: list[Event]
    error: VoicetuiError | None

    def said_of(self, name: str) -> str:
        """The one line that names a file as bad."""
        shown = clean(name)
        lines = [e.message for e in self.events if isinstance(e, SourceFailed)]
        lines += [
            e.text for e in self.events if isinstance(e, Note) and e.code == "duplicate_source"
        ]
        lines += [
            f"{e.seen} {e.means} {e.remedy}"
            for e in self.events
            if isinstance(e, Warned) and e.code == "doubtful_source"
        ]
        found = [line for line in lines if line.split(" ")[0].endswith(f"/{shown}")]
        assert len(found) == 1, (name, lines)
        return found[0]


def run(project: Project, watch: Callable[[Event], None] = lambda event: None) -> Run:
    """Prepare a project on the whole road, with words that nobody spoke."""
    events: list[Event] = []

    def see(event: Event) -> None:
        events.append(event)
        watch(event)

    try:
        preparing(project, see, listener=Babbler())
    except VoicetuiError as error:
        return Run(events, error)
    return Run(events, None)


def cut_off(path: Path) -> None:
    """Two thirds of a recording; the ending of the name chooses the format."""
    codecs = {".mp3": "libmp3lame", ".m4a": "aac", ".aac": "aac", ".webm": "libopus"}
    speech = piece("market", 6.0, 48_000)
    if codec := (codecs | {".opus": "libopus"}).get(path.suffix):
        encode(path, speech, 48_000, codec)
    else:
        soundfile.write(path, speech, 48_000)
    os.truncate(path, path.stat().st_size * 2 // 3)


def number(offset: int, layout: str, value: int) -> Callable[[Path], None]:
    """A wav with one number of its header changed."""

    def write(path: Path) -> None:
        soundfile.write(path, SOUND, RATE)
        content = bytearray(path.read_bytes())
        struct.pack_into(layout, content, offset, value)
        path.write_bytes(content)

    return write


def without_numbers(path: Path) -> None:
    samples = SOUND.copy()
    samples[RATE] = np.nan
    soundfile.write(path, samples, RATE, subtype="FLOAT")


def only_pictures(path: Path) -> None:
    encode(path, SOUND, RATE, "aac", picture=True, sound=False)


def forbidden(path: Path) -> None:
    soundfile.write(path, SOUND, RATE)
    path.chmod(0)


def forbidden_folder(path: Path) -> None:
    path.mkdir()
    soundfile.write(path / "x.wav", SOUND, RATE)
    path.chmod(0)


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty.wav": (Path.touch, "is empty (0 bytes). Copy it again"),
    "no-samples.wav": (
        lambda path: soundfile.write(path, np.zeros(0, np.float32), RATE),
        "holds no audio. Record it again",
    ),
    "text.mp3": (
        lambda path: path.write_text("no recording\n" * 99),
        "holds no audio in a format that can be read. Recordings are",
    ),
    "nan.wav": (without_numbers, "no numbers, the first at 1.00 s. Convert it again"),
    "cut.wav": (cut_off, "is cut off: its header promises"),
    "cut.flac": (cut_off, "is damaged at"),
    "cut.mp3": (cut_off, "is cut off: its header promises"),
    "cut.m4a": (cut_off, "is cut off: its header promises"),
    "cut.webm": (cut_off, "is cut off: its header promises"),
    "cut.aac": (cut_off, "is damaged at"),
    "cut.ogg": (cut_off, "is doubtful: its last page does not say that it is the last"),
    "cut.opus": (cut_off, "is doubtful: its last page does not say that it is the last"),
    "rate-0.wav": (number(24, "<I", 0), "holds no audio in a format"),
    "rate-1.wav": (number(24, "<I", 1), "says that it has 1 samples a second. Convert it"),
    "rate-huge.wav": (number(24, "<I", 10**9), "says that it has 1000000000 samples a second"),
    "rate-other.wav": (number(24, "<I", 8_000), "its header contradicts itself: 8,000 samples"),
    "channels-0.wav": (number(22, "<H", 0), "is damaged at 0.0 s"),
    "bits-65.wav": (number(34, "<H", 65), "holds sound of a kind that cannot be read"),
    "picture.mp4": (only_pictures, "has no audio stream. Remove it"),
    "folder.wav": (Path.mkdir, "is a folder, not a recording. What is in it is used; rename it"),
    "loop.wav": (lambda path: path.symlink_to(path.name), "leads back to itself; remove it"),
    "nowhere.wav": (
        lambda path: path.symlink_to("gone.wav"),
        "cannot be read (No such file or directory). Check that it is there",
    ),
    "pipe.wav": (os.mkfifo, "is not a regular file. Give a recording instead"),
    "secret.wav": (forbidden, "cannot be read (Permission denied). Check"),
    "secret": (forbidden_folder, "cannot be read (Permission denied). Check"),
    "same.wav": (
        lambda path: shutil.copyfile(path.parent / "good.wav", path),
        "is the same recording as rec/good.wav; used once",
    ),
    "line\nfeed.wav": (Path.touch, "is empty (0 bytes). Copy it again"),
    "\x1b[31mred\x1b]0;title\x07.wav": (Path.touch, "is empty (0 bytes). Copy it again"),
    "[bold]x[red].wav": (Path.touch, "is empty (0 bytes). Copy it again"),
    os.fsdecode(b"bad\xff\xfe.wav"): (Path.touch, "is empty (0 bytes). Copy it again"),
}
ODD = ("line\nfeed 2.wav", "\x1b[31mred 2.wav", "[bold]y[red].wav", os.fsdecode(b"bad\xff 2.wav"))
# Used, with a word about it.
DOUBTED = ("cut.ogg", "cut.opus", "rate-other.wav")


@pytest.fixture(scope="module")
def swamp(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> tuple[Project, Run, str]:
    """A folder of everything bad beside good recordings, prepared once."""
    project = recordings_project(tmp_path_factory.mktemp("swamp") / "anna", tiny_base)
    folder = project.folder / "rec"
    soundfile.write(folder / "good.wav", piece("journey", 30.0, RATE), RATE)
    (folder / "sub").mkdir()
    soundfile.write(folder / "sub" / "good.wav", piece("market", 12.0, RATE), RATE)
    speech = piece("lighthouse", 40.0, RATE)
    for place, name in enumerate(ODD):
        soundfile.write(folder / "x.wav", speech[place * 10 * RATE :][: 9 * RATE], RATE)
        (folder / "x.wav").rename(folder / name)
    for name, (make, _) in BAD.items():
        make(folder / name)
    before = fingerprint(folder)
    with as_a_user():
        done = run(project)
    return project, done, before


def fingerprint(folder: Path) -> str:
    """What a folder holds, with the times of change."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        digest.update(f"{os.fsencode(path)!r} {status.st_mtime_ns} {status.st_size}".encode())
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_named_with_a_remedy(swamp: tuple[Project, Run, str], name: str) -> None:
    line = swamp[1].said_of(name)
    assert BAD[name][1] in line
    assert line == clean(line), "it can be shown"
    line.encode()


def test_good_files_are_used_all_the_same(swamp: tuple[Project, Run, str]) -> None:
    project, done, before = swamp
    assert done.error is None
    assert fingerprint(project.folder / "rec") == before, "sources are never changed"
    used = {f"rec/{name}" for name in ("good.wav", "sub/good.wav", *DOUBTED, *ODD)}
    told = {e.source: e for e in done.events if isinstance(e, SourcePrepared)}
    assert told.keys() == {clean(name) for name in used}
    listed = clips.read(project.dataset_dir)
    for name in ("good.wav", "sub/good.wav", *ODD):
        assert [clip for clip in listed if clip.source.path == f"rec/{name}" and clip.wav], name
    wavs = [clip.wav for clip in listed if clip.wav]
    assert len(set(wavs)) == len(wavs), "those of two files of one name too"
    assert all((project.dataset_dir / wav).is_file() and wav.isprintable() for wav in wavs)
    books = {each.path: each for each in accounting.read(project.dataset_dir)}
    wrong = {f"rec/{name}" for name in BAD} - used
    assert books.keys() == used | wrong
    assert {name for name, each in books.items() if each.state == "used"} == used
    assert all(books[name].message or books[name].same_as for name in wrong)


def test_a_second_run_says_it_again_and_does_nothing(swamp: tuple[Project, Run, str]) -> None:
    project, done, _ = swamp
    table = (project.dataset_dir / clips.FILE_NAME).read_bytes()
    begun = time.monotonic()
    with as_a_user():
        again = run(project)
    assert time.monotonic() - begun < 2.0
    failed = [e for e in done.events if isinstance(e, SourceFailed)]
    assert [e for e in again.events if isinstance(e, SourceFailed)] == failed
    assert all(e.cached for e in again.events if isinstance(e, SourcePrepared))
    assert (project.dataset_dir / clips.FILE_NAME).read_bytes() == table


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Project:
    """A prepared project of one recording."""
    project = recordings_project(tmp_path_factory.mktemp("plain") / "anna", tiny_base)
    soundfile.write(project.folder / "rec" / "a.wav", piece("journey", 30.0, RATE), RATE)
    assert run(project).error is None
    return project


def copied(project: Project, folder: Path) -> Project:
    shutil.copytree(project.folder, folder)
    return replace(projects.load(folder), base=project.base)


def dataset(project: Project) -> dict[str, bytes]:
    return {
        str(path.relative_to(project.dataset_dir)): path.read_bytes()
        for path in project.dataset_dir.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_a_moved_project_has_nothing_to_do(plain: Project, tmp_path: Path) -> None:
    project = copied(plain, tmp_path / "elsewhere")
    memo = project.cache_dir / sources.MEMO_NAME
    before = (dataset(project), memo.stat().st_mtime_ns)
    done = run(project)
    assert done.error is None
    assert [e.cached for e in done.events if isinstance(e, SourcePrepared)] == [True]
    assert not [e for e in done.events if isinstance(e, Progress) and e.stage == "find"], "unread"
    assert (dataset(project), memo.stat().st_mtime_ns) == before


def test_a_base_that_may_not_be_written_is_enough(
    plain: Project, tmp_path: Path, tiny_base: Path
) -> None:
    base = tmp_path / "base"
    shutil.copytree(tiny_base, base)
    project = recordings_project(tmp_path / "anna", base)
    shutil.copyfile(plain.folder / "rec" / "a.wav", project.folder / "rec" / "a.wav")
    for path in (*base.iterdir(), base):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = fingerprint(base)
    with as_a_user():
        with pytest.raises(PermissionError):
            (base / "x").touch()
        assert run(project).error is None
    assert fingerprint(base) == before
    base.chmod(0o755)


@pytest.mark.parametrize("limit", [100_000, 400_000])
def test_a_full_disk_leaves_the_dataset_as_it_was(
    plain: Project, tmp_path: Path, limit: int
) -> None:
    """A limit on the size of files fails as a full disk does: while decoding, or later."""
    project = copied(plain, tmp_path / "anna")
    before = dataset(project)
    speech = piece("market", 20.0 if limit < 200_000 else 5.0, RATE)
    soundfile.write(project.folder / "rec" / "b.wav", speech, RATE)
    allowed = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, allowed[1]))
    try:
        done = run(project)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert isinstance(done.error, DiskFullError)
    assert "No space left while writing" in str(done.error)
    assert "free some space and run the command again" in str(done.error)
    assert dataset(project) == before
    assert not (project.cache_dir / "work").exists()
    assert run(project).error is None
    assert dataset(project).keys() > before.keys()


def test_a_recording_that_changes_meanwhile_is_told_and_taken_next_time(
    plain: Project, tmp_path: Path
) -> None:
    project = copied(plain, tmp_path / "anna")
    growing = project.folder / "rec" / "b.wav"
    soundfile.write(growing, piece("market", 10.0, RATE), RATE)

    def grow(event: Event) -> None:
        if isinstance(event, Stage) and event.name == "recordings":
            soundfile.write(growing, piece("market", 12.0, RATE), RATE)

    done = run(project, grow)
    assert "was changed or removed while it was being prepared. Run" in next(
        e.message for e in done.events if isinstance(e, SourceFailed)
    )
    assert {clip.source.path for clip in clips.read(project.dataset_dir)} == {"rec/a.wav"}
    again = run(project)
    assert again.error is None
    told = [e for e in again.events if isinstance(e, SourcePrepared)]
    assert [(e.source, e.seconds, e.cached) for e in told] == [
        ("rec/a.wav", 30.0, True),
        ("rec/b.wav", 12.0, False),
    ]


def empty_folder(folder: Path) -> None:
    pass


def only_silence(folder: Path) -> None:
    soundfile.write(folder / "hum.wav", tone(3.0, RATE, 50.0, 0.1), RATE)


def only_bad(folder: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (folder / name).touch()


def gone(folder: Path) -> None:
    folder.rmdir()


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (empty_folder, "has no recordings in rec. Put some there, or name others in its project"),
        (only_silence, "Nobody speaks in the recordings of"),
        (only_bad, "a.wav is empty (0 bytes). Copy it again"),
        (gone, "rec is not there. Put it back, or remove it from the sources."),
    ],
)
def test_a_project_without_any_speech_is_refused(
    tiny_base: Path, tmp_path: Path, make: Callable[[Path], None], what: str
) -> None:
    project = recordings_project(tmp_path / "anna", tiny_base)
    make(project.folder / "rec")
    done = run(project)
    assert isinstance(done.error, InputError)
    assert what in str(done.error)
