from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.dataset import sources
from engine.errors import SourceError
from engine.project import Project


def made(folder: Path, *given: str) -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    return Project(folder, "Anna", "en", "base", "standard", given, {})


def write(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def names(project: Project) -> list[str]:
    listing = sources.find(project)
    return [os.path.relpath(path, project.folder) for path in listing.files]


def test_folders_are_searched_to_any_depth_in_any_case_and_sorted(tmp_path: Path) -> None:
    for name in ("b/z.WAV", "a/deep/er/y.Mp3", "a/notes.txt", "b/._z.wav", "a/x.flac"):
        write(tmp_path / "rec" / name)
    project = made(tmp_path, "rec")
    assert names(project) == ["rec/a/deep/er/y.Mp3", "rec/a/x.flac", "rec/b/z.WAV"]


def test_a_named_file_is_taken_whatever_its_ending_and_only_once(tmp_path: Path) -> None:
    write(tmp_path / "rec" / "tape.raw")
    write(tmp_path / "rec" / "x.wav")
    project = made(tmp_path, "rec/tape.raw", "rec/x.wav", "rec")
    assert names(project) == ["rec/tape.raw", "rec/x.wav"]


def test_links_that_lead_back_end_the_search(tmp_path: Path) -> None:
    write(tmp_path / "rec" / "x.wav")
    # Two of them would make a search without a memory double its way at each level.
    (tmp_path / "rec" / "loop").symlink_to(tmp_path / "rec", target_is_directory=True)
    (tmp_path / "rec" / "ring").symlink_to(tmp_path / "rec", target_is_directory=True)
    (tmp_path / "rec" / "y.wav").symlink_to(tmp_path / "rec" / "x.wav")
    project = made(tmp_path, "rec")
    assert names(project) == ["rec/x.wav"]
    assert sources.find(project).problems == ()


def test_what_the_project_made_is_no_source(tmp_path: Path) -> None:
    write(tmp_path / "dataset" / "wavs" / "x_00000001.wav")
    write(tmp_path / "export" / "anna" / "reference.wav")
    write(tmp_path / "own.wav")
    assert names(made(tmp_path, ".")) == ["own.wav"]


def test_missing_sources_and_folders_named_like_recordings_are_told(tmp_path: Path) -> None:
    write(tmp_path / "rec" / "x.wav" / "inside.wav")
    listing = sources.find(made(tmp_path, "rec", "gone\x1b.wav"))
    assert [path.name for path in listing.files] == ["inside.wav"]
    messages = sorted(problem.message for problem in listing.problems)
    assert "gone␛.wav is not there" in messages[0]
    assert "x.wav is a folder" in messages[1]


def test_unchanged_files_are_not_read_again(tmp_path: Path) -> None:
    project = made(tmp_path, "rec")
    first, second = write(tmp_path / "rec/a.wav", b"aaa"), write(tmp_path / "rec/b.wav", b"bbb")
    read: list[int] = []
    before, _ = sources.identify((first, second), project, read.append)
    assert read == [3, 3]
    read.clear()
    write(second, b"bbbb")
    after, _ = sources.identify((first, second), project, read.append)
    assert read == [4]
    assert after[0] == before[0]
    assert after[1].sha256 != before[1].sha256


def test_a_project_that_was_moved_reads_nothing_again(tmp_path: Path) -> None:
    project = made(tmp_path / "anna", "rec")
    write(tmp_path / "anna/rec/a.wav", b"aaa")
    read: list[int] = []
    before, _ = sources.identify(sources.find(project).files, project, read.append)
    project.folder.rename(tmp_path / "elsewhere")
    project = made(tmp_path / "elsewhere", "rec")
    after, _ = sources.identify(sources.find(project).files, project, read.append)
    assert read == [3]
    assert [(s.name, s.sha256) for s in after] == [(s.name, s.sha256) for s in before]
    assert sources.unchanged(project, after[0].name, after[0].sha256) == after[0].path


def test_a_recording_that_changes_meanwhile_is_refused(tmp_path: Path) -> None:
    project = made(tmp_path, "rec")
    path = write(tmp_path / "rec/a.wav", b"aaa")
    (source,), _ = sources.identify((path,), project, lambda size: None)
    sources.require_unchanged(project, source)
    os.utime(path, ns=(1, 1))
    sources.require_unchanged(project, source)
    for change in (lambda: write(path, b"bbbb"), path.unlink):
        change()
        with pytest.raises(SourceError, match=r"rec/a\.wav was changed or removed while"):
            sources.require_unchanged(project, source)


def test_names_are_relative_inside_the_project_only(tmp_path: Path) -> None:
    inside = write(tmp_path / "anna" / "rec" / "a.wav")
    outside = write(tmp_path / "b.wav", b"other")
    found, _ = sources.identify((inside, outside), made(tmp_path / "anna"), lambda size: None)
    assert [source.name for source in found] == ["rec/a.wav", str(outside)]


def test_names_that_are_not_text_are_remembered(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.wav"))
    write(path)
    project = made(tmp_path, ".")
    read: list[int] = []
    for _ in range(2):
        found, _ = sources.identify(sources.find(project).files, project, read.append)
        assert found[0].path == path
    assert read == [1]


def test_a_file_that_goes_away_is_a_problem(tmp_path: Path) -> None:
    found, problems = sources.identify((tmp_path / "x.wav",), made(tmp_path), lambda size: None)
    assert found == []
    assert "x.wav cannot be read (No such file or directory)" in problems[0].message


def test_the_same_content_is_used_once(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / name, content)
        for name, content in (("a.wav", b"1"), ("b.wav", b"2"), ("c.wav", b"1"))
    ]
    found, _ = sources.identify(tuple(paths), made(tmp_path), lambda size: None)
    used, doubles = sources.unique(found)
    assert [source.path.name for source in used] == ["a.wav", "b.wav"]
    assert [(out.path.name, first.path.name) for out, first in doubles] == [("c.wav", "a.wav")]
