from __future__ import annotations

import csv
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import soundfile
from helpers_review import WORDS, clip_of, fresh, lost, made, prepared, source_of
from test_files import limit_files_to

from engine import lock
from engine.dataset import clips, metadata, summary
from engine.dataset.clips import RATE, Clip, Reason
from engine.dataset.review.review import Review
from engine.errors import BusyError, DatasetError, DiskFullError, InputError, RefusedError
from engine.project import Project


class Letters:
    """A tokenizer that counts characters and does not know q."""

    def count(self, text: str) -> int:
        return len(text)

    def unknown(self, text: str) -> set[str]:
        return set(text) & {"q"}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return made(tmp_path / "anna")


@pytest.fixture
def review(project: Project) -> Iterator[Review]:
    opened = Review.open(project)
    yield opened
    opened.close()


def on_disk(project: Project) -> dict[str, Clip]:
    return {clip.id: clip for clip in clips.read(project.dataset_dir)}


def reopened(review: Review) -> Review:
    review.close()
    return Review.open(review.project)


def whole(review: Review) -> list[Clip]:
    """All clips as the review has them, words too."""
    return [review._store.whole(row.id)[1] for row in review.clips]


def check_tables(project: Project) -> None:
    """All tables say the same."""
    listed = clips.read(project.dataset_dir)
    for split in ("train", "eval"):
        content = (project.dataset_dir / metadata.file_name(split)).read_text()
        assert content == metadata.table(listed, split)
    totals = json.loads((project.dataset_dir / summary.FILE_NAME).read_text())
    assert totals | summary.of_clips(listed) == totals
    for clip in listed:
        assert not (clip.state == "dropped" and clip.split)
        if clip.state != "dropped":
            assert soundfile.info(project.dataset_dir / clip.wav).frames > 0


def test_a_review_shows_what_was_prepared(project: Project, review: Review) -> None:
    assert whole(review) == clips.read(project.dataset_dir)
    assert [row.id for row in review.clips] == list(on_disk(project))
    detail = review.detail(review.clips[0].id)
    assert detail.heard == detail.row.text == "two three four five"
    assert [word.probability for word in detail.words] == [0.9] * 4
    assert [found.op for found in detail.changes] == ["equal"]
    assert (detail.text_second, detail.disagreements) == (None, [])
    assert detail.wav == project.dataset_dir / detail.row.wav


def test_a_dataset_without_clips_cannot_be_reviewed(tmp_path: Path, project: Project) -> None:
    (project.dataset_dir / clips.FILE_NAME).unlink()
    with pytest.raises(DatasetError, match="Run 'voicetui prepare' first"):
        Review.open(project)


def test_a_damaged_line_is_named(project: Project) -> None:
    with (project.dataset_dir / clips.FILE_NAME).open("a") as handle:
        handle.write('{"id": "x"}\n')
    with pytest.raises(DatasetError, match="line 13 is not a clip"):
        Review.open(project)


@pytest.mark.parametrize("words", ['[["a",1]]', "[[]]", "[oops]"])
def test_damaged_words_are_found_when_they_are_wanted(project: Project, words: str) -> None:
    path = project.dataset_dir / clips.FILE_NAME
    lines = path.read_bytes().splitlines(keepends=True)
    begin, end = lines[1].index(b'"words":') + 8, lines[1].index(b',"language"')
    lines[1] = lines[1][:begin] + words.encode() + lines[1][end:]
    path.write_bytes(b"".join(lines))
    review = Review.open(project)
    with pytest.raises(DatasetError, match=r"clips\.jsonl, line 2 is not a clip"):
        review.detail(review.clips[1].id)
    assert review.detail(review.clips[2].id).words
    review.close()


def test_opening_tells_how_far_it_is(project: Project) -> None:
    first = clips.read(project.dataset_dir)[0]
    many = [replace(first, id=f"x-{n}", start=n * 3.0, end=n * 3.0 + 2) for n in range(1200)]
    clips.write(project.dataset_dir, many)
    size = (project.dataset_dir / clips.FILE_NAME).stat().st_size
    steps = Review.opening(project)
    told = []
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            end.value.close()
            break
    assert [total for _, total in told] == [size, size, 1200, 1200, 1200]
    assert [done for done, _ in told[2:]] == [0, 500, 1000]


def test_a_text_is_written_and_durable_before_it_shows(project: Project, review: Review) -> None:
    row = review.clips[0]
    applied = review.set_text(row.id, "  Two three\tfour. ")
    assert (applied.label, applied.ids, applied.refused) == ("text", (row.id,), ())
    assert b"Two three four." in (project.dataset_dir / "edits.jsonl").read_bytes()
    assert review.row(row.id).text == "Two three four."
    assert "tokens" not in review.row(row.id).scores, "nobody counted"
    review.flush()
    clip = on_disk(project)[row.id]
    assert (clip.text, clip.edited) == ("Two three four.", ("text",))
    assert clip.words == review.detail(row.id).words != ()
    assert "tokens" not in clip.scores
    changes = review.detail(row.id).changes
    assert [(found.op, found.left, found.right) for found in changes] == [
        ("equal", ("two", "three", "four"), ("Two", "three", "four.")),
        ("delete", ("five",), ()),
    ]
    check_tables(project)
    again = len((project.dataset_dir / "edits.jsonl").read_bytes())
    assert review.set_text(row.id, "Two three four.").ids == ()
    assert len((project.dataset_dir / "edits.jsonl").read_bytes()) == again


def test_a_tokenizer_judges_texts(review: Review) -> None:
    review.tokenizer = Letters()
    row = review.clips[0]
    assert review.check("four five").tokens == 9
    for text, why in (
        ("", "has no words"),
        (" ?! ", "has no words"),
        ("queen", "does not know: q"),
        ("a" * 201, "201 tokens, 200 is the most"),
        ("\x1b[31mred", "nobody can speak"),
        ("\u202eback", "nobody can speak"),
    ):
        assert not review.check(text).ok
        with pytest.raises(InputError, match=why) as caught:
            review.set_text(row.id, text)
        assert "\x1b" not in str(caught.value)
    review.set_text(row.id, "four five")
    assert review.row(row.id).scores["tokens"] == 9.0
    review.undo()
    assert review.row(row.id).scores["tokens"] == 10.0


def test_no_text_breaks_a_table(project: Project, review: Review) -> None:
    texts = [
        'a|b "quoted" | c', "two\nlines\r\nmore", "[bold]x[/bold] [/]", "\\n \\x1b \\", "{'a': 1}",
        "\u2028sep\x85arate", "日本語 العربية", ',"words":[1],"language":"xx"',
    ]  # fmt: skip
    ids = [row.id for row in review.clips]
    for identifier, text in zip(ids, texts, strict=False):
        review.set_text(identifier, text)
    review = reopened(review)
    for identifier, text in zip(ids, texts, strict=False):
        plain = " ".join(text.split())
        assert review.row(identifier).text == plain == on_disk(project)[identifier].text
        assert review.detail(identifier).words
    check_tables(project)
    for split in ("train", "eval"):
        with (project.dataset_dir / metadata.file_name(split)).open(newline="") as handle:
            assert {len(row) for row in csv.reader(handle, delimiter="|")} == {3}
    review.close()


def test_a_clip_is_dropped_and_restored(project: Project, review: Review) -> None:
    ids = [review.clips[0].id, review.clips[1].id]
    before = [review.row(identifier) for identifier in ids]
    review.drop(ids, Reason.NOISE)
    review.flush()
    for identifier in ids:
        clip = on_disk(project)[identifier]
        assert (clip.state, clip.reason, clip.split) == ("dropped", "noise", "")
        assert clip.edited == ("state",)
    check_tables(project)
    review.drop(ids[:1], Reason.OTHER_SPEAKER)
    assert review.restore(ids).ids == tuple(ids)
    assert [review.row(identifier) for identifier in ids] == before
    assert review.restore(ids).ids == ()


def test_what_the_preparation_dropped_is_accepted_not_restored(tmp_path: Path) -> None:
    def change(listed: list[Clip]) -> list[Clip]:
        listed[1] = lost(listed[1])
        listed[2] = lost(replace(listed[2], text="", words=()), "no_words")
        return listed

    project = made(tmp_path / "anna", change)
    review = Review.open(project)
    first, second = review.clips[1], review.clips[2]
    with pytest.raises(InputError, match="Accept it to use it"):
        review.restore([first.id])
    with pytest.raises(InputError, match="in no set"):
        review.move([first.id], "eval")
    applied = review.accept([first.id, second.id])
    assert applied.ids == (first.id,)
    assert [identifier for identifier, _ in applied.refused] == [second.id]
    assert "no words" in applied.refused[0][1]
    row = review.row(first.id)
    assert (row.state, row.reason, row.wav) == ("kept", "", "wavs/talk_90000000.wav")
    assert row.split in ("train", "eval")
    samples, _ = soundfile.read(project.dataset_dir / row.wav, dtype="float32")
    assert len(samples) == round(first.end * RATE) - round(first.start * RATE)
    review.set_text(second.id, "eight nine")
    review.accept([second.id])
    review.close()
    check_tables(project)
    (project.folder / "rec" / "talk.wav").write_bytes(b"another")
    review = Review.open(project)
    review.undo()
    with pytest.raises(InputError, match="has changed or is gone"):
        review.accept([second.id])
    review.close()


def test_a_clip_that_is_too_long_is_not_accepted(tmp_path: Path) -> None:
    def change(listed: list[Clip]) -> list[Clip]:
        source = source_of_made(tmp_path / "anna")
        return [lost(clip_of(source, 0.5, 13.0, 1), "too_long"), *listed[5:]]

    def source_of_made(folder: Path) -> Any:
        from engine import project as projects

        return source_of(projects.load(folder), "rec/talk.wav")

    project = made(tmp_path / "anna", change)
    review = Review.open(project)
    row = review.clips[0]
    with pytest.raises(InputError, match=r"lasts 12\.5 s; training takes 11\.6 s at most\. Split"):
        review.accept([row.id])
    parts = review.split(row.id, 6.0).ids
    assert [review.row(part).state for part in parts] == ["kept", "kept"]
    review.close()
    check_tables(project)


def test_clips_move_between_the_sets(project: Project, review: Review) -> None:
    ids = [row.id for row in review.clips if row.split == "train"][:3]
    review.move(ids, "eval")
    assert {review.row(identifier).split for identifier in ids} == {"eval"}
    assert review.move(ids, "eval").ids == ()
    review.flush()
    check_tables(project)
    review.undo()
    assert {review.row(identifier).split for identifier in ids} == {"train"}


def test_a_split_divides_audio_words_and_text(project: Project, review: Review) -> None:
    row = review.clips[1]
    old = review.detail(row.id)
    assert row.text == "three four five six seven eight"
    applied = review.split(row.id, 4.52)
    left, right = (review.row(identifier) for identifier in applied.ids)
    assert left.id == row.id
    assert right.id == f"{row.source.sha256[:12]}-{round(right.start * 1000):08d}"
    assert (left.start, right.end) == (row.start, row.end)
    assert left.end == right.start == pytest.approx(4.5, abs=0.16)
    assert (left.text, right.text) == ("three four five", "six seven eight")
    assert review.detail(left.id).words + review.detail(right.id).words == old.words
    audio = [soundfile.read(project.dataset_dir / part.wav)[0] for part in (row, left, right)]
    assert len(audio[0]) == len(audio[1]) + len(audio[2])
    assert len(audio[1]) == round(left.end * RATE) - round(left.start * RATE)
    begins, ends = audio[0][: len(audio[1]) // 2], audio[0][-len(audio[2]) // 2 :]
    for part, same in ((audio[1][: len(begins)], begins), (audio[2][-len(ends) :], ends)):
        gain = abs(part).max() / abs(same).max()
        assert abs(part - gain * same).max() < 0.0001
        assert gain < 0.5, "parts come to the loudness of all clips"
    assert {left.wav, right.wav} == {"wavs/talk_90000000.wav", "wavs/talk_90000001.wav"}
    assert left.split == right.split == row.split
    assert "edited" in review.columns
    assert [row.id for row in map(review.clips.__getitem__, review.rows("edited"))] == [
        left.id,
        right.id,
    ]
    review.flush()
    check_tables(project)
    review.undo()
    assert review.row(row.id) == row
    assert review.place(right.id) is None
    review.redo()
    assert review.row(left.id) == left


def test_a_split_divides_a_text_that_a_person_wrote(review: Review) -> None:
    row = review.clips[1]
    review.set_text(row.id, "Three, four and five! Six; seven or eight.")
    left, right = review.split(row.id, 4.5).ids
    assert review.row(left).text == "Three, four and five!"
    assert review.row(right).text == "Six; seven or eight."


@pytest.mark.parametrize("at", [2.0, 3.0, 3.05, 5.95, 6.0, 7.0])
def test_a_split_outside_of_a_clip_is_refused(review: Review, at: float) -> None:
    with pytest.raises(InputError, match="not inside the clip"):
        review.split(review.clips[1].id, at)


def test_a_part_that_is_too_short_is_dropped(project: Project, review: Review) -> None:
    row = review.clips[1]
    left, right = review.split(row.id, 3.4).ids
    assert (review.row(left).state, review.row(left).reason) == ("dropped", "too_short")
    assert review.row(right).state == "kept"
    review.flush()
    check_tables(project)


def test_a_merge_takes_the_recording_or_joins_the_wavs(project: Project, review: Review) -> None:
    first, second = review.clips[0], review.clips[1]
    (merged,) = review.merge(first.id).ids
    row = review.row(merged)
    assert (row.id, row.start, row.end) == (first.id, first.start, second.end)
    assert row.text == f"{first.text} {second.text}"
    expected = round(row.end * RATE) - round(row.start * RATE)
    from_recording, _ = soundfile.read(project.dataset_dir / row.wav)
    assert len(from_recording) == expected
    assert abs(from_recording[round(2.3 * RATE) : round(2.4 * RATE)]).max() > 0.1, "the gap is real"
    review.undo()
    os.truncate(project.folder / "rec" / "talk.wav", 1000)
    (merged,) = review.merge(first.id).ids
    joined, _ = soundfile.read(project.dataset_dir / review.row(merged).wav)
    assert len(joined) == expected
    assert abs(joined[round(2.02 * RATE) : round(2.48 * RATE)]).max() == 0.0
    middle = slice(round(0.1 * RATE), round(1.9 * RATE))
    assert abs(joined[middle] - from_recording[middle]).max() < 0.005
    review.flush()
    check_tables(project)


def test_a_merge_that_makes_no_sense_is_refused(review: Review) -> None:
    with pytest.raises(InputError, match="last clip of its recording"):
        review.merge(review.clips[5].id)
    with pytest.raises(InputError, match="last clip of its recording"):
        review.merge(review.clips[-1].id)
    review.merge(review.clips[0].id)
    (merged,) = review.merge(review.clips[0].id).ids
    assert review.row(merged).end == 8.0
    (merged,) = review.merge(merged).ids
    with pytest.raises(InputError, match=r"Together they last 13\.5 s; training takes 11\.6 s"):
        review.merge(merged)


def test_clips_far_apart_are_not_merged(tmp_path: Path) -> None:
    project = made(tmp_path / "anna", lambda listed: [listed[0], listed[2]])
    review = Review.open(project)
    with pytest.raises(InputError, match=r"4\.0 s lie between this clip and the next"):
        review.merge(review.clips[0].id)
    review.close()


def test_undo_and_redo_survive_a_restart(project: Project, review: Review) -> None:
    ids = [row.id for row in review.clips]
    states = [whole(review)]
    review.set_text(ids[0], "first")
    states.append(whole(review))
    review.drop(ids[1:4])
    states.append(whole(review))
    review.split(ids[4], 12.5)
    states.append(whole(review))
    review.merge(ids[0])
    states.append(whole(review))
    for state in reversed(states[:-1]):
        review = reopened(review)
        assert review.undo() is not None
        assert whole(review) == state
    assert review.undo() is None
    for state in states[1:]:
        review = reopened(review)
        assert review.redo() is not None
        assert whole(review) == state
    assert review.redo() is None
    review.close()
    assert clips.read(project.dataset_dir) == states[-1]
    check_tables(project)


OPERATIONS = ("text", "text", "drop", "restore", "accept", "move", "split", "merge")


def any_edit(review: Review, chance: random.Random) -> None:
    """Some edit on some clips, allowed or not."""
    ids = chance.sample([row.id for row in review.clips], 3)
    row = review.row(ids[0])
    operation = chance.choice(OPERATIONS)
    try:
        if operation == "text":
            review.set_text(row.id, " ".join(chance.choices(WORDS, k=4)))
        elif operation == "drop":
            review.drop(ids, chance.choice(list(Reason)))
        elif operation == "restore":
            review.restore(ids)
        elif operation == "accept":
            review.accept(ids)
        elif operation == "move":
            review.move(ids, chance.choice(["train", "eval"]))  # type: ignore[arg-type]
        elif operation == "split":
            review.split(row.id, row.start + chance.random() * row.seconds)
        else:
            review.merge(row.id)
    except InputError:
        pass


@pytest.mark.parametrize("seed", range(3))
def test_any_edits_undone_and_redone_give_what_was_there(tmp_path: Path, seed: int) -> None:
    """The model is a list of states and a place in it."""
    project = made(tmp_path / "anna")
    chance = random.Random(seed)
    review = Review.open(project)
    states, at = [whole(review)], 0
    for _ in range(40):
        what = chance.random()
        if what < 0.25:
            done = review.undo()
            assert (done is None) == (at == 0)
            at = max(0, at - 1)
        elif what < 0.4:
            done = review.redo()
            assert (done is None) == (at == len(states) - 1)
            at = min(len(states) - 1, at + 1)
        elif what < 0.5:
            review = reopened(review)
            check_tables(project)
            assert clips.read(project.dataset_dir) == states[at]
        else:
            before = review.changes
            any_edit(review, chance)
            if review.changes != before:
                states[at + 1 :] = [whole(review)]
                at += 1
        assert whole(review) == states[at]
        assert [row.id for row in review.clips] == [clip.id for clip in states[at]]
    review.close()
    check_tables(project)
    assert clips.read(project.dataset_dir) == states[at]


def test_a_console_that_is_killed_loses_no_edit(project: Project, fork: Callable[..., Any]) -> None:
    before = clips.read(project.dataset_dir)

    def edit_and_die() -> None:
        review = Review.open(project)
        review.set_text(before[0].id, "kept all the same")
        review.split(before[1].id, 4.5)
        review.drop([before[2].id])
        review.undo()
        os.kill(os.getpid(), signal.SIGKILL)

    assert fork(edit_and_die).wait() == -signal.SIGKILL
    assert clips.read(project.dataset_dir) == before, "the table lags"
    used = clips.usable(project.dataset_dir, "en")
    assert used[0].text == "kept all the same"
    assert len(used) == sum(clip.state != "dropped" for clip in before) + 1
    assert clips.read(project.dataset_dir) == before, "training writes no tables"
    review = Review.open(project)
    assert [clip for clip in whole(review) if clip.state != "dropped"] == used
    listed = whole(review)
    review.close()
    assert clips.read(project.dataset_dir) == listed
    check_tables(project)


def test_a_full_disk_stops_edits_and_keeps_the_journal(
    project: Project, fork: Callable[..., Any]
) -> None:
    review = Review.open(project)
    row = review.clips[0]
    review.set_text(row.id, "before")
    review.close()
    journal = (project.dataset_dir / "edits.jsonl").read_bytes()
    table = (project.dataset_dir / clips.FILE_NAME).read_bytes()

    def fill() -> None:
        review = Review.open(project)
        limit_files_to(len(journal) + 500)
        with pytest.raises(DiskFullError, match=r"edits\.jsonl"):
            review.set_text(row.id, "too much " * 200)
        assert review.row(row.id).text == "before"
        review.set_text(row.id, "little")
        review.flush()
        assert "No space left" in review.problem
        with pytest.raises(DiskFullError):
            review.close()

    assert len(table) > len(journal) + 500
    assert fork(fill).wait() == 0
    assert (project.dataset_dir / "edits.jsonl").read_bytes().startswith(journal)
    assert (project.dataset_dir / clips.FILE_NAME).read_bytes() == table
    review = Review.open(project)
    assert review.row(row.id).text == "little"
    review.close()
    check_tables(project)


def test_a_training_does_not_stop_edits(project: Project, review: Review) -> None:
    with lock.hold(project.folder, "train"):
        review.set_text(review.clips[0].id, "edited meanwhile")
        review.flush()
    assert clips.read(project.dataset_dir)[0].text == "edited meanwhile"


def test_two_consoles_never_edit_from_different_states(project: Project, review: Review) -> None:
    other = Review.open(project)
    row = review.clips[0]
    review.set_text(row.id, "mine")
    with pytest.raises(BusyError, match=r"are being written by process \d+ on .* \(review"):
        other.set_text(row.id, "theirs")
    review.flush()
    assert other.stale
    with pytest.raises(RefusedError, match="changed by somebody else"):
        other.set_text(row.id, "theirs")
    assert other.row(row.id).text != "theirs"
    assert other.detail(row.id).words, "what was read can still be looked at"
    other.close()
    assert not review.stale
    again = Review.open(project)
    again.set_text(row.id, "both")
    again.close()
    assert review.stale
    assert on_disk(project)[row.id].text == "both"


def test_a_new_preparation_makes_a_review_stale(project: Project, review: Review) -> None:
    assert not review.stale
    names = ("rec/talk.wav", "rec/walk.wav")
    prepared(project, {name: fresh(project, name, ((1.0, 4.0), (5.0, 9.0))) for name in names})
    assert review.stale
    with pytest.raises(RefusedError):
        review.drop([review.clips[0].id])


def test_an_edit_from_another_state_is_refused(review: Review) -> None:
    store = review._store
    with store.lease() as state:
        review.drop([review.clips[0].id])
        form = store.journal.form(store.journal.done[0])
        with pytest.raises(RefusedError, match="edited at the same time"):
            store.commit("late", form, state)
    assert len(store.journal.done) == 1


def test_filters_searches_and_orders(project: Project, review: Review) -> None:
    ids = [row.id for row in review.clips]
    gone = review.rows("dropped")
    review.drop(ids[:2])
    review.set_text(ids[3], "An Ünusual text")
    assert review.rows() == list(range(12))
    assert review.rows("dropped") == sorted([0, 1, *gone])
    kept = [place for place in range(2, 12) if place not in gone]
    assert review.rows("kept") == kept
    assert review.rows("edited") == [0, 1, 3]
    assert review.rows("suspect") == []
    held_out = review.rows("eval")
    assert sorted(held_out + review.rows("train")) == kept
    assert review.counts() == {
        "all": 12, "kept": len(kept), "dropped": 12 - len(kept), "suspect": 0, "edited": 3,
        "eval": len(held_out), "train": len(kept) - len(held_out),
    }  # fmt: skip
    assert review.rows(search="ÜNUSUAL") == [3]
    assert review.rows(search="walk.wav") == list(range(6, 12))
    review.set_text(ids[3], "usual again")
    assert review.rows(search="ünusual") == []
    by_length = [review.clips[place].seconds for place in review.rows(sort="seconds")]
    assert by_length == sorted(by_length)
    assert review.rows(sort="seconds", descending=True)[0] in (1, 7)
    worst = [review.clips[place].score for place in review.rows(sort="score")]
    assert worst == sorted(worst)
    reasons = [review.clips[place].reason for place in review.rows(sort="reason")]
    last = len(kept)
    assert reasons[:-last] == sorted(reasons[:-last])
    assert reasons[-last:] == [""] * last, "without a reason last"
    assert review.clips[review.rows(sort="reason", descending=True)[0]].reason == max(reasons)
    assert review.rows(sort="tokens")[-1] == 3, "unknown is last"
    assert review.rows(sort="tokens", descending=True)[-1] == 3
    assert {"score", "seconds", "text", "tokens", "confidence"} <= set(review.columns)
    for column in review.columns:
        assert sorted(review.rows(sort=column)) == list(range(12))


def test_a_clip_that_is_gone_is_named(review: Review) -> None:
    with pytest.raises(InputError, match="no clip nothing any more"):
        review.drop(["nothing"])
    with pytest.raises(InputError, match=r"no clip \u241b any more"):
        review.detail("\x1b")


def test_a_waveform_is_that_of_the_wav(tmp_path: Path) -> None:
    def change(listed: list[Clip]) -> list[Clip]:
        listed[0] = lost(listed[0])
        return listed

    project = made(tmp_path / "anna", change)
    review = Review.open(project)
    assert review.waveform(review.clips[0].id, 30) is None
    wave = review.waveform(review.clips[1].id, 30)
    assert wave is not None
    assert wave.seconds == pytest.approx(3.0, abs=0.001)
    assert len(wave.low) == 30
    assert max(wave.high) == pytest.approx(0.4, abs=0.02)
    review.close()
