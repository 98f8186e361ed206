from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.dataset.given.beside import Given, Library
from engine.events import Event, Note, Warned


class Told(list[Event]):
    def warnings(self) -> list[str]:
        return [event.seen for event in self if isinstance(event, Warned)]

    def notes(self) -> list[str]:
        return [event.text for event in self if isinstance(event, Note)]


def library(told: Told, language: str = "en", named: tuple[Path, ...] = ()) -> Library:
    return Library(language, named, told.append)


def given(folder: Path, recording: str, language: str = "en") -> Given | None:
    return library(Told(), language).of(folder / recording)


def put(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("what is said")


@pytest.mark.parametrize(
    ("beside", "taken"),
    [
        (["talk.srt"], "talk.srt"),
        (["TALK.VTT"], "TALK.VTT"),
        (["Talk.en.srt", "talk.srt"], "Talk.en.srt"),
        (["talk.English.srt"], "talk.English.srt"),
        (["talk.en-GB.vtt"], "talk.en-GB.vtt"),
        (["Talk.wav.srt"], "Talk.wav.srt"),
        (["talk.txt", "talk.srt"], "talk.srt"),
        (["talk.txt"], "talk.txt"),
        (["talk.de.srt"], None),
        (["talk.flac.srt"], None),
        (["talk.v1.srt", "talks.srt", "other.txt", "._talk.srt"], None),
    ],
)
def test_files_beside_a_recording_belong_to_it(
    tmp_path: Path, beside: list[str], taken: str | None
) -> None:
    put(tmp_path, *beside)
    found = given(tmp_path, "Talk.wav")
    assert (found.path.name if found else None) == taken
    if found:
        assert {found.path, *found.others} == {tmp_path / name for name in beside}
        assert found.timed is (found.path.suffix.lower() != ".txt")


def test_names_are_the_same_however_letters_are_composed(tmp_path: Path) -> None:
    put(tmp_path, "Gru\u0308n.srt")
    assert given(tmp_path, "gr\u00fcn.wav") is not None


def test_tables_beside_and_above_name_recordings(tmp_path: Path) -> None:
    (tmp_path / "wavs").mkdir()
    (tmp_path / "metadata.csv").write_text("a|one|one\nb|two (2)|two two\nc|three|three\n")
    told = Told()
    found = library(told)
    rows = [found.of(tmp_path / "wavs" / f"{name}.wav") for name in "ab"]
    assert [each.row.text for each in rows if each and each.row] == ["one", "two two"]
    assert all(each and each.path.name == "metadata.csv" and not each.timed for each in rows)
    assert found.of(tmp_path / "elsewhere" / "a.wav") is None
    found.tell_unused()
    (note,) = told.notes()
    assert "1 of 3 rows name no recording of this project, line 3 first" in note


def test_what_lies_beside_goes_before_a_table(tmp_path: Path) -> None:
    put(tmp_path, "a.txt")
    (tmp_path / "metadata.csv").write_text("a|one")
    found = given(tmp_path, "a.wav")
    assert found is not None
    assert (found.path.name, found.row) == ("a.txt", None)
    assert [path.name for path in found.others] == ["metadata.csv"]


def test_a_change_of_a_transcript_changes_only_its_digest(tmp_path: Path) -> None:
    def digests() -> list[str]:
        found = library(Told())
        each = [found.of(tmp_path / f"{name}.wav") for name in "abc"]
        return [one.digest for one in each if one]

    put(tmp_path, "a.srt")
    (tmp_path / "metadata.csv").write_text("b|two\nc|three")
    before = digests()
    assert len(set(before)) == 3
    (tmp_path / "metadata.csv").write_text("b|two!\nc|three")
    after = digests()
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]
    put(tmp_path, "a.srt.bak")
    (tmp_path / "a.srt").write_text("something else")
    assert digests()[0] != before[0]
    assert digests()[1:] == after[1:]


def test_what_is_not_used_is_told_once(tmp_path: Path) -> None:
    put(tmp_path, "a.de.srt", "b.srt", "lonely.vtt", "readme.txt", "other/named.srt")
    (tmp_path / "metadata.csv").write_bytes("a|Grüße".encode("latin-1"))
    told = Told()
    found = library(told, named=(tmp_path / "other" / "named.srt",))
    for _ in range(2):
        for name in ("a.wav", "b.wav"):
            found.of(tmp_path / name)
    found.tell_unused()
    (warning,) = told.warnings()
    assert "metadata.csv, line 1, is not UTF-8" in warning
    foreign, *unowned = told.notes()
    assert "a.de.srt is not used" in foreign
    assert ["lonely.vtt" in unowned[0], "named.srt" in unowned[1]] == [True, True]
    assert len(unowned) == 2


def test_tables_of_another_kind_above_the_recordings_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text("name,age\nAnna,30\n")
    told = Told()
    assert library(told).of(tmp_path / "rec" / "a.wav") is None
    assert told == []


def test_files_that_cannot_be_read_are_found_all_the_same(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.srt")
    (tmp_path / "b.srt").symlink_to(tmp_path / "gone")
    found = library(Told())
    assert all(found.of(tmp_path / f"{name}.wav") for name in "ab")
    assert found.of(tmp_path / "missing" / "a.wav") is None
