"""Edits carried over to newly prepared clips, and what a kill in between leaves."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from helpers_review import SPANS, clip_of, fresh, lost, made, prepared, source_of

from engine.dataset import clips, derive, edits, tables
from engine.dataset.clips import Clip, Reason
from engine.dataset.edits import Journal
from engine.dataset.review.review import Review
from engine.project import Project

NAMES = ("rec/talk.wav", "rec/walk.wav")
Spans = Sequence[tuple[float, float]]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return made(tmp_path / "anna")


def again(
    project: Project, talk: Spans | None = SPANS, walk: Spans = SPANS
) -> list[dict[str, Any]]:
    """Prepare anew with other cuts, or without the first recording; the orphaned edits."""
    cuts = {} if talk is None else {NAMES[0]: fresh(project, NAMES[0], talk)}
    made_now = prepared(project, cuts | {NAMES[1]: fresh(project, NAMES[1], walk)})
    listed = clips.read(project.dataset_dir)
    assert listed == made_now.clips == derive.current(project.dataset_dir)
    assert made_now.totals["orphaned_edits"] == len(made_now.orphans)
    on_disk = {f"wavs/{path.name}" for path in (project.dataset_dir / "wavs").iterdir()}
    assert {clip.wav for clip in listed if clip.wav} <= on_disk
    return [dict(orphan) for orphan in made_now.orphans]


def listed(project: Project) -> dict[str, Clip]:
    return {clip.id: clip for clip in clips.read(project.dataset_dir)}


def files(project: Project) -> dict[str, tuple[int, bytes]]:
    return {
        path.name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in project.dataset_dir.rglob("*")
        if path.is_file() and path.name != "summary.json" and not path.name.startswith(".")
    }


def edited(project: Project) -> list[str]:
    """Some edits of every kind, one of them undone; the ids of the first recording before."""
    review = Review.open(project)
    ids = [row.id for row in review.clips if row.source.path == NAMES[0]]
    review.set_text(ids[0], "a new text")
    review.drop([ids[2]], Reason.NOISE)
    review.split(ids[1], 4.5)
    review.move([ids[3]], "eval" if review.row(ids[3]).split == "train" else "train")
    review.set_text(ids[5], "undone")
    review.undo()
    review.close()
    return ids


def test_the_same_preparation_keeps_everything_as_it_is(project: Project) -> None:
    edited(project)
    before = files(project)
    assert again(project) == []
    # Wavs were written again by the helper; nothing else was.
    after = files(project)
    assert {n: data for n, (_, data) in after.items()} == {n: d for n, (_, d) in before.items()}
    for name in ("clips.jsonl", "edits.jsonl", "metadata_train.csv", "metadata_eval.csv"):
        assert after[name] == before[name]


def test_edits_go_to_the_clips_that_overlap_by_half(project: Project) -> None:
    ids = edited(project)
    before = listed(project)
    moved = [(start + 0.2, end + 0.2) for start, end in SPANS]
    assert again(project, moved) == []
    after = [clip for clip in clips.read(project.dataset_dir) if clip.source.path == NAMES[0]]
    assert (after[0].start, after[0].text, after[0].edited) == (0.7, "a new text", ("text",))
    assert after[0].id not in before
    assert next(clip for clip in after if clip.reason == "noise").start == 6.7
    parts = [clip for clip in after if clip.wav.startswith("wavs/talk_9000")]
    assert parts == [clip for clip in before.values() if clip.wav.startswith("wavs/talk_9000")]
    assert [clip.start for clip in after] == sorted(clip.start for clip in after)
    review = Review.open(project)
    redone = review.redo()
    assert redone is not None
    assert redone.label == "text"
    assert review.row(redone.ids[0]).start == 14.7, "redone on the new clip"
    while review.undo():
        pass
    review.close()
    found = [clip for clip in clips.read(project.dataset_dir) if clip.source.path == NAMES[0]]
    assert found == [
        replace(clip, speaker="Anna", split=now.split, state=now.state, reason=now.reason)
        for clip, now in zip(fresh(project, NAMES[0], moved), found, strict=True)
    ]
    assert {clip.edited for clip in found} == {()}
    assert {clip.reason for clip in found} <= {"", "between_splits"}
    assert ids[1] not in listed(project)


def test_a_text_on_a_clip_with_other_borders_is_suspect(project: Project) -> None:
    review = Review.open(project)
    first = review.clips[0]
    review.set_text(first.id, "for the old clip")
    review.close()
    again(project, [(0.5, 3.2), *SPANS[2:]])
    clip = clips.read(project.dataset_dir)[0]
    assert (clip.id, clip.text, clip.state) == (first.id, "for the old clip", "suspect")
    again(project)
    clip = clips.read(project.dataset_dir)[0]
    assert (clip.text, clip.state) == ("for the old clip", "kept")


@pytest.mark.parametrize("talk", [None, [(0.5, 9.0), (12.0, 13.0)], [(5.0, 6.8)]])
def test_edits_without_a_clip_wait_until_it_comes_back(
    project: Project, talk: Spans | None
) -> None:
    ids = edited(project)
    before = clips.read(project.dataset_dir)
    wavs = {clip.wav for clip in before if clip.wav.startswith("wavs/talk_9000")}
    told = again(project, talk)
    assert {orphan["label"] for orphan in told} == {"text", "drop", "split", "move"}
    assert told[0] | {"of": 1, "id": ids[0], "start": 0.5, "end": 2.5} == told[0]
    assert not any(clip.edited for clip in clips.read(project.dataset_dir))
    assert all((project.dataset_dir / wav).is_file() for wav in wavs)
    review = Review.open(project)
    assert review.orphans == tuple(told)
    review.close()
    assert again(project) == []
    assert clips.read(project.dataset_dir) == before


def test_what_was_done_to_the_parts_of_a_lost_clip_is_lost_with_it(project: Project) -> None:
    review = Review.open(project)
    row = review.clips[1]
    left, right = review.split(row.id, 5.0).ids
    assert left == row.id
    review.set_text(left, "only the left part")
    review.close()
    wav = project.dataset_dir / listed(project)[right].wav
    wav.unlink()
    assert [orphan["label"] for orphan in again(project)] == ["split", "text"]
    assert listed(project)[row.id].text == row.text


def test_an_undone_edit_may_be_forgotten_with_its_wavs(project: Project) -> None:
    review = Review.open(project)
    review.split(review.clips[1].id, 4.5)
    review.undo()
    review.close()
    parts = sorted((project.dataset_dir / "wavs").glob("talk_9000*"))
    again(project)
    assert sorted((project.dataset_dir / "wavs").glob("talk_9000*")) == parts != []
    review = Review.open(project)
    review.set_text(review.clips[0].id, "another way")
    review.close()
    again(project)
    assert not list((project.dataset_dir / "wavs").glob("talk_9000*"))


def test_an_accepted_clip_stays_accepted(tmp_path: Path) -> None:
    project = made(tmp_path / "anna", lambda all_: [lost(all_[0]), *all_[1:]])
    review = Review.open(project)
    row = review.clips[0]
    review.accept([row.id])
    review.close()
    source = source_of(project, NAMES[0])
    for text in ("heard otherwise", "and again"):
        cut = [lost(clip_of(source, *SPANS[0], 1, text=text)), *fresh(project, NAMES[0])[1:]]
        prepared(project, {NAMES[0]: cut, NAMES[1]: fresh(project, NAMES[1])})
        clip = listed(project)[row.id]
        assert (clip.state, clip.text, clip.wav) == ("kept", row.text, "wavs/talk_90000000.wav")


def test_a_kept_clip_that_has_no_audio_any_more_is_an_orphan(project: Project) -> None:
    review = Review.open(project)
    row = review.clips[0]
    review.drop([row.id])
    review.restore([row.id])
    review.close()
    cut = [lost(clip) for clip in fresh(project, NAMES[0])]
    result = prepared(project, {NAMES[0]: cut, NAMES[1]: fresh(project, NAMES[1])})
    assert [orphan["label"] for orphan in result.orphans] == ["restore"]
    assert listed(project)[row.id].state == "dropped"


@pytest.mark.parametrize("step", ["marker", "others", "table"])
def test_a_preparation_that_is_killed_leaves_no_wrong_table(
    project: Project, step: str, fork: Callable[..., Any]
) -> None:
    """Whatever is there afterwards, the next preparation gives what the first would have."""
    edited(project)
    moved = [(start + 0.2, end + 0.2) for start, end in SPANS]

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def work() -> None:
        from engine.dataset import assemble

        if step == "marker":
            Journal.prepared = die  # type: ignore[method-assign]
        elif step == "others":
            assemble.write_others = die
        else:
            tables.write_bytes = die
            assemble.write_others = lambda *_: None
        again(project, moved)

    assert fork(work).wait() == -signal.SIGKILL
    assert derive.current(project.dataset_dir) == []
    assert again(project, moved) == []
    after = listed(project)
    assert sum(clip.text == "a new text" for clip in after.values()) == 1
    assert sum(clip.reason == "noise" for clip in after.values()) == 1
    assert len(Journal(project.dataset_dir).done) == 4
    again(project)
    assert clips.read(project.dataset_dir)[0].text == "a new text"


def test_edits_that_the_table_lacks_are_in_the_new_one(
    project: Project, fork: Callable[..., Any]
) -> None:
    def edit_and_die() -> None:
        edited(project)
        review = Review.open(project)
        review.set_text(review.clips[0].id, "the last words")
        os.kill(os.getpid(), signal.SIGKILL)

    assert fork(edit_and_die).wait() == -signal.SIGKILL
    again(project)
    assert clips.read(project.dataset_dir)[0].text == "the last words"
    kinds = [
        json.loads(line)["kind"]
        for line in (project.dataset_dir / edits.FILE_NAME).read_text().splitlines()
    ]
    assert kinds[-1] == "prepared"
