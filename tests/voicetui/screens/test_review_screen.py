"""The review: every key of its footer and what it does to the journal, the list and the screen."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from helpers_clips import clips_project, made_clips
from helpers_console import make_console, screen_text
from helpers_jobs import HOSTILE
from helpers_terminal import wait_until
from textual.pilot import Pilot
from textual.widgets import TextArea

from engine.dataset import accounting, derive
from engine.dataset.accounting import Recording
from engine.dataset.clips import Clip
from engine.dataset.edits import Journal
from engine.dataset.review.review import Review
from engine.dataset.review.rows import Row
from voicetui.app import Console
from voicetui.screens.dataset import DatasetScreen
from voicetui.screens.dialogs import Choose
from voicetui.screens.review.editor import TextEditor
from voicetui.screens.review.pane import ReviewPane
from voicetui.widgets.pager import Pager
from voicetui.widgets.styled import plain

Story = Callable[["Person"], Awaitable[None]]
PATIENCE = 400


class Person:
    """Somebody at the review: presses keys and looks at what the screen shows."""

    def __init__(self, app: Console, pilot: Pilot[None], folder: Path) -> None:
        self.app = app
        self.pilot = pilot
        self.folder = folder

    @property
    def screen(self) -> DatasetScreen:
        return next(s for s in self.app.screen_stack if isinstance(s, DatasetScreen))

    @property
    def pane(self) -> ReviewPane:
        return self.screen.pane

    @property
    def row(self) -> Row:
        row = self.pane.current
        assert row is not None
        return row

    @property
    def text(self) -> str:
        return screen_text(self.app)

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "dataset")

    @property
    def labels(self) -> list[str]:
        return [entry.label for entry in self.journal.done]

    def now(self, identifier: str) -> Clip:
        """A clip as whoever reads the dataset now sees it."""
        listed = derive.current(self.folder / "dataset")
        return next(clip for clip in listed if clip.id == identifier)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def until(self, holds: Callable[[], object]) -> None:
        for _ in range(PATIENCE):
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(self.text)

    async def reads(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.text for text in texts))


def review(
    folder: Path,
    story: Story,
    listed: int | Sequence[Clip] = 12,
    *,
    wavs: bool = False,
    size: tuple[int, int] = (80, 24),
) -> None:
    """Open the review of a dataset of such clips, worst first, and tell a story in it."""
    if not (folder / "project.toml").exists():
        clips_project(folder, listed, wavs=wavs)

    async def tell() -> None:
        app = make_console(lambda console: console.open_dataset(folder))
        async with app.run_test(size=size) as pilot:
            person = Person(app, pilot, folder)
            await person.until(lambda: person.pane.clip.shown or person.pane.has_class("-trouble"))
            await story(person)

    asyncio.run(tell())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "voice"


# --- what it shows --------------------------------------------------------------------------------


def test_opens_on_the_worst_clip_with_everything_about_it(folder: Path) -> None:
    async def story(person: Person) -> None:
        rows = [person.pane.review.row(each) for each in person.pane.order]  # type: ignore[union-attr]
        assert rows == sorted(rows, key=lambda row: row.score)
        await person.reads("score▲", "second", f"score {100 * person.row.score:.0f}", "dB")
        assert f"{person.row.seconds:.2f} s" in person.text
        assert "12 clips" in person.text

    review(folder, story, wavs=True)


def test_unsure_words_are_marked_and_transcripts_compared(folder: Path) -> None:
    clip = next(made_clips(1))
    words = tuple(
        word._replace(probability=0.2 if i == 1 else 0.9) for i, word in enumerate(clip.words)
    )
    spoken = [word.text.strip() for word in words]
    second = " ".join([*spoken[:-1], "zebra"])

    async def story(person: Person) -> None:
        await person.reads(f" ≈{spoken[1]} ", f"[-{spoken[-1]}.-]", "{+zebra+}")
        await person.reads("numbers ≈word: unsure ·")
        await person.press("enter")
        await person.reads("less than 50 % sure of it: listen")

    review(folder, story, [replace(clip, words=words, text_second=second)])


def test_a_dropped_clip_tells_its_reason_and_the_remedy(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("f", "d")
        await person.reads(
            "✗ dropped", "The recogniser was unsure of the words.", "Listen, correct"
        )
        assert "1 of 12 clips: dropped" in person.text

    review(folder, story)


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (200, 50)])
def test_essential_things_are_readable_at_every_size(folder: Path, size: tuple[int, int]) -> None:
    async def story(person: Person) -> None:
        await person.reads("1 review", "score▲", "agree", person.row.text[:20], "peak", "?  help")

    review(folder, story, wavs=True, size=size)


def test_enter_gives_the_clip_more_room(folder: Path) -> None:
    async def story(person: Person) -> None:
        assert "look at it first" not in person.text
        await person.press("enter")
        await person.reads("0: look at it first, 100: nothing stands out")
        await person.press("z")
        await person.until(lambda: "look at it first" not in person.text)

    review(folder, story)


def test_hostile_texts_and_names_are_shown_literally(folder: Path) -> None:
    first, second = made_clips(2)
    hostile = replace(
        first,
        text=f"[bold]loud[/] $HOME {HOSTILE}".replace("\udcff", ""),
        text_second="[link=x]y[/link] \x1b[31mred",
        source=replace(first.source, path="[red]\x1b]0;x\x07.wav"),
    )

    async def story(person: Person) -> None:
        await person.press("t")
        await person.reads("[bold]loud[/] $HOME", "[red]␛]0;x␇.wav")
        await person.press("e")
        await person.reads("Text of this clip")
        await person.press("ctrl+g")
        await person.press("f")
        await person.reads("only clips of [red]␛]0;x␇.wav")
        assert not set(person.text) & {"\x1b", "\x07", "\u202e", "\x9b"}

    review(folder, story, [hostile, second])


def test_a_broken_table_tells_where_and_what_to_do(folder: Path) -> None:
    project = clips_project(folder, 3, wavs=False)
    with (project.dataset_dir / "clips.jsonl").open("ab") as table:
        table.write(b"{nonsense\n")

    async def story(person: Person) -> None:
        await person.reads("line 4 is not a clip", "Delete the file", "Press 2, then p")
        await person.press("a")
        await person.reads("There are no clips to work on yet")

    review(folder, story)


def test_no_clips_at_all(folder: Path) -> None:
    clips_project(folder, [])

    async def tell() -> None:
        app = make_console(lambda console: console.open_dataset(folder))
        async with app.run_test(size=(80, 24)) as pilot:
            person = Person(app, pilot, folder)
            await person.reads("There are no clips.")

    asyncio.run(tell())


# --- edits ----------------------------------------------------------------------------------------


def test_accept_keeps_a_suspect_clip_and_goes_on(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("f", "s")
        await person.reads("2 of 12 clips: suspect")
        clip = person.row.id
        await person.press("a")
        await person.reads("accepted; u undoes")
        assert person.now(clip).state == "kept"
        assert person.row.id != clip
        # It stays in sight, so that nothing jumps away under the hand.
        assert clip in person.pane.order

    review(folder, story)


def test_drop_asks_why(folder: Path) -> None:
    async def story(person: Person) -> None:
        for key, reason in [("d", "by_hand"), ("n", "noise"), ("c", "cut_off")]:
            clip = person.row.id
            await person.press("d")
            await person.reads("Drop this clip?", "somebody else speaks")
            await person.press(key)
            await person.reads(f"dropped ({reason.replace('_', ' ')}); u undoes")
            assert (person.now(clip).state, person.now(clip).reason) == ("dropped", reason)

    review(folder, story)


def test_drop_can_be_cancelled(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("d", "q")
        await person.until(lambda: not isinstance(person.app.screen, Choose))
        assert person.labels == []

    review(folder, story)


def test_restore_brings_back_what_was_dropped_by_hand(folder: Path) -> None:
    async def story(person: Person) -> None:
        clip = person.row.id
        before = person.row.state
        await person.press("d", "d", "k", "r")
        await person.reads("restored; u undoes")
        assert person.now(clip).state == before
        assert person.labels == ["drop", "restore"]

    review(folder, story)


def test_what_cannot_be_restored_says_why(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("f", "d")
        await person.reads("1 of 12 clips: dropped")
        await person.press("r")
        await person.reads("The clip was dropped by the preparation")

    review(folder, story)


def test_several_clips_are_told_of_in_the_plural(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("f", "d")
        await person.reads("2 of 24 clips: dropped")
        await person.press("*", "r")
        await person.reads("2 clips were dropped by the preparation; a accepts them")
        assert person.labels == []

    review(folder, story, 24)


def test_what_is_dropped_already_keeps_its_reason(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("f", "d")
        await person.reads("1 of 12 clips: dropped")
        clip, reason = person.row.id, person.row.reason
        await person.press("d")
        await person.reads("It is dropped already (low confidence); a brings it back.")
        await person.press("f", "a")
        await person.reads("12 clips")
        await person.press("*", "d")
        await person.reads("Drop 12 clips?")
        await person.press("n")
        await person.reads("dropped 11 clips (noise)")
        assert person.now(clip).reason == reason
        await person.press("*", "d")
        await person.reads("12 clips are dropped already (low confidence, noise)")

    review(folder, story)


def test_move_changes_the_set(folder: Path) -> None:
    async def story(person: Person) -> None:
        clip = person.row.id
        assert person.row.split == "eval"
        await person.press("t")
        await person.reads("moved to train; u undoes", "· train ·")
        assert person.now(clip).split == "train"

    review(folder, story)


def test_undo_and_redo_survive_the_screen(folder: Path) -> None:
    clip = ""

    async def drops(person: Person) -> None:
        nonlocal clip
        clip = person.row.id
        await person.press("d", "n")
        await person.reads("dropped (noise)")

    async def undoes(person: Person) -> None:
        await person.press("G", "u")
        await person.reads("undid: drop")
        assert person.now(clip).state == "kept"
        assert person.row.id == clip
        await person.press("u")
        await person.reads("nothing more to take back")
        await person.press("U")
        await person.reads("did again: drop")
        assert person.now(clip).state == "dropped"

    review(folder, drops)
    review(folder, undoes)


def test_edits_asked_for_right_before_leaving_are_not_lost(folder: Path) -> None:
    clips_project(folder, [clip for clip in made_clips(12) if clip.state == "kept"], wavs=False)

    async def story(person: Person) -> None:
        for _ in range(4):
            await person.press("d", "d")
        await person.press("q")
        # The pilot ends the console, with the keys that it has not come to yet.
        await person.until(lambda: not person.app._waiting)

    review(folder, story)
    table = folder / "dataset" / "clips.jsonl"

    def dropped() -> int:
        rows = [json.loads(line) for line in table.read_text().splitlines()]
        return sum(row["reason"] == "by_hand" for row in rows)

    wait_until(lambda: dropped() == 4, "four dropped clips")


def test_edits_that_wait_their_turn_are_done_when_the_screen_is_left(folder: Path) -> None:
    clips_project(folder, 12, wavs=False)
    begun, may_go_on = threading.Event(), threading.Event()

    async def story(person: Person) -> None:
        def slow(review: Review) -> None:
            begun.set()
            may_go_on.wait()

        # As of a clip that is cut out of a long recording.
        person.screen._edit(slow)
        await person.until(begun.is_set)
        await person.press("d", "d", "q")
        may_go_on.set()

    review(folder, story)
    wait_until(lambda: len(Journal(folder / "dataset").done) == 1, "the edit in the journal")


def test_merge_joins_the_next_of_the_recording(folder: Path) -> None:
    first, second = list(made_clips(2))

    async def story(person: Person) -> None:
        await person.press("s", "t")
        await person.until(lambda: person.pane.order[0] == first.id)
        await person.press("g", "m")
        await person.reads("merged with the next clip", "1 clips")
        merged = person.now(first.id)
        assert (merged.start, merged.end) == (first.start, second.end)
        await person.press("u")
        await person.reads("undid: merge", "2 clips")
        assert list(person.pane.order) == [first.id, second.id]

    review(folder, story, [first, second], wavs=True)


def test_cut_at_the_mark_between_words(folder: Path) -> None:
    clip = replace(next(made_clips(1, seed=4)), text_second=None)
    third = clip.words[2]

    async def story(person: Person) -> None:
        await person.press("c")
        await person.reads("between words, c cuts there")
        for _ in range(len(clip.words)):
            await person.press("left")
        await person.press("right")
        wanted = f"between “{clip.words[1].text.strip()}” and “{third.text.strip()}”"
        await person.reads(wanted, "▲")
        await person.press("full_stop", "comma", "c")
        await person.reads("split into 2 clips; u undoes", "2 clips")
        left, right = (person.now(identifier) for identifier in person.pane.order)
        assert abs(left.end - third.start) < 0.2
        assert left.end == right.start

    review(folder, story, [clip], wavs=True)


def test_the_mark_is_forgotten_by_moving_on(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("c")
        await person.reads("c cuts here")
        await person.press("ctrl+g")
        await person.until(lambda: "c cuts here" not in person.text)
        await person.press("right")
        await person.reads("c cuts here")
        await person.press("down")
        await person.until(
            lambda: person.pane.clip.cut is None and "c cuts here" not in person.text
        )

    review(folder, story)


# --- the text -------------------------------------------------------------------------------------


def test_editing_a_text_with_a_live_verdict(folder: Path) -> None:
    async def story(person: Person) -> None:
        clip = person.row.id
        await person.press("e")
        await person.reads("Text of this clip", "characters · about", "An estimate")
        area = person.app.screen.query_one(TextArea)
        area.text = "  "
        await person.reads("The text has no words.")
        area.text = "A new\ntext, said  aloud."
        await person.reads("23 characters")
        await person.press("enter")
        await person.reads("The text is saved; u undoes", "A new text, said aloud.")
        assert person.now(clip).text == "A new text, said aloud."

    review(folder, story)


def test_tokens_are_counted_once_the_tokenizer_is_there(folder: Path) -> None:
    class Letters:
        """A tokenizer with one token a letter that knows no x."""

        def count(self, text: str) -> int:
            return len(text)

        def unknown(self, text: str) -> set[str]:
            return set(text) & {"x"}

    async def story(person: Person) -> None:
        person.pane.review.tokenizer = Letters()  # type: ignore[union-attr]
        await person.press("e")
        await person.reads(f"{len(person.row.text)} of 200 tokens")
        person.app.screen.query_one(TextArea).text = "exact"
        await person.reads("does not know: x")
        person.app.screen.query_one(TextArea).text = "long " * 50
        await person.reads("200 is the most")
        await person.press("enter")
        await person.pilot.pause()
        await person.reads("200 is the most")
        assert isinstance(person.app.screen, TextEditor), "what was typed is not lost"
        assert person.app.screen.query_one(TextArea).text == "long " * 50
        assert person.labels == []

    review(folder, story)


def test_a_text_that_the_engine_refuses_is_offered_again(folder: Path) -> None:
    class Strict:
        """A tokenizer that was loaded after the text was judged, and knows no x."""

        def count(self, text: str) -> int:
            return len(text)

        def unknown(self, text: str) -> set[str]:
            return set(text) & {"x"}

    async def story(person: Person) -> None:
        found = person.pane.review
        assert found is not None
        before = person.row.text

        may_go_on = threading.Event()

        def load(review: Review) -> None:
            may_go_on.wait()
            review.tokenizer = Strict()

        await person.press("e")
        await person.reads("An estimate")
        person.app.screen.query_one(TextArea).text = "exact"
        person.screen._edit(load)
        await person.press("enter")
        await person.until(lambda: isinstance(person.app.screen, DatasetScreen))
        may_go_on.set()
        await person.reads("Not saved, e offers your text again: The base")
        assert person.row.text == before
        await person.press("e")
        await person.reads("5 of 200 tokens")
        assert person.app.screen.query_one(TextArea).text == "exact"
        person.app.screen.query_one(TextArea).text = "right"
        await person.press("enter")
        await person.reads("The text is saved")
        await person.press("e")
        await person.reads("5 of 200 tokens")
        assert person.app.screen.query_one(TextArea).text == "right"

    review(folder, story)


def test_an_edit_that_is_left_changes_nothing(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("e")
        await person.until(lambda: isinstance(person.app.screen, TextEditor))
        await person.press("z", "ctrl+g")
        await person.until(lambda: isinstance(person.app.screen, DatasetScreen))
        assert person.labels == []

    review(folder, story)


# --- selection ------------------------------------------------------------------------------------


def test_actions_take_the_selection(folder: Path) -> None:
    async def story(person: Person) -> None:
        wanted = list(person.pane.order[:3])
        await person.press("space", "space", "space")
        await person.reads("3 selected · 12 clips")
        await person.press("d")
        await person.reads("Drop 3 clips?")
        await person.press("d")
        await person.reads("dropped 3 clips (by hand); u undoes")
        assert {person.now(each).state for each in wanted} == {"dropped"}
        assert len(person.labels) == 1
        assert not person.pane.chosen
        await person.press("u")
        await person.reads("undid: drop of 3 clips")

    review(folder, story)


def test_a_selection_moves_to_the_set_that_is_asked(folder: Path) -> None:
    async def story(person: Person) -> None:
        wanted = list(person.pane.order[:2])
        await person.press("space", "space", "t")
        await person.reads("Move 2 clips")
        await person.press("t")
        await person.reads("to train; u undoes")
        moved = [person.now(each) for each in wanted]
        assert {clip.split for clip in moved if clip.state != "dropped"} == {"train"}

    review(folder, story, [c for c in made_clips(12) if c.state == "kept"])


def test_select_all_that_are_listed_and_none(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("f", "s")
        await person.reads("2 of 12 clips: suspect")
        await person.press("*")
        await person.reads("2 clips are selected.")
        await person.press("*")
        await person.until(lambda: not person.pane.chosen)

    review(folder, story)


def test_extending_selects_while_moving(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("j", "v", "j", "j", "k", "v", "j")
        assert person.pane.chosen == set(person.pane.order[1:3])
        await person.press("ctrl+g")
        await person.until(lambda: not person.pane.chosen)

    review(folder, story)


# --- search, filter, sort -------------------------------------------------------------------------


def test_search_narrows_while_typing(folder: Path) -> None:
    listed = list(made_clips(12))
    listed[4] = replace(listed[4], text="A Zebra crossed.")

    async def story(person: Person) -> None:
        await person.press("slash", *"zebra")
        await person.reads("1 of 12 clips: “zebra”", "A Zebra crossed.")
        await person.press("enter", "d", "d")
        await person.reads("dropped (by hand)")
        assert person.now(listed[4].id).state == "dropped"
        await person.press("ctrl+g")
        await person.until(lambda: len(person.pane.order) == 12)

    review(folder, story, listed)


def test_a_search_that_finds_nothing_says_so(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("slash", *"xyzzy")
        await person.reads("No clip is “xyzzy”")
        await person.press("enter", "a", "d", "e", "m", "c", "l", "y", "t")
        assert person.labels == []

    review(folder, story)


FILTERS: list[tuple[str, Callable[[Row], bool]]] = [
    ("k", lambda row: row.state == "kept"),
    ("s", lambda row: row.state == "suspect"),
    ("d", lambda row: row.state == "dropped"),
    ("t", lambda row: row.split == "train"),
    ("h", lambda row: row.split == "eval"),
    ("a", lambda _: True),
]


def test_filters(folder: Path) -> None:
    async def story(person: Person) -> None:
        found = person.pane.review
        assert found is not None
        for key, holds in FILTERS:
            wanted = {row.id for row in found.clips if holds(row)}
            await person.press("f", key)
            await person.until(lambda wanted=wanted: set(person.pane.order) == wanted)  # type: ignore[misc]

    review(folder, story, list(made_clips(24, per_source=12)))


def test_only_what_was_edited_and_only_one_recording(folder: Path) -> None:
    async def story(person: Person) -> None:
        clip, source = person.row.id, person.row.source
        await person.press("t")
        await person.reads("moved to")
        await person.press("f", "e")
        await person.until(lambda: list(person.pane.order) == [clip])
        await person.press("ctrl+g", "f", "o")
        await person.until(lambda: len(person.pane.order) == 4)
        assert f"4 of 12 clips: of {source.path[:10]}" in person.text

    review(folder, story, list(made_clips(12, per_source=4)))


def test_sorting_by_any_column_and_turning_it_around(folder: Path) -> None:
    async def story(person: Person) -> None:
        found = person.pane.review
        assert found is not None

        def lengths() -> list[float]:
            return [round(found.row(each).seconds, 3) for each in person.pane.order]

        await person.press("s")
        await person.reads("Sort by", "logprob")
        await person.press("l")
        await person.until(lambda: lengths() == sorted(lengths()))
        await person.reads("sec▲")
        await person.press("S")
        await person.until(lambda: lengths() == sorted(lengths(), reverse=True))
        await person.reads("sec▼")
        await person.press("w")
        await person.reads("score▲", "Worst first.")

    review(folder, story)


# --- hearing --------------------------------------------------------------------------------------


def test_listening_without_sound_gives_the_line_that_fetches_the_wav(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 5 10.0.0.2 22")
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.delenv("PULSE_SERVER", raising=False)

    async def story(person: Person) -> None:
        wav = Path(person.row.wav).name
        await person.press("l")
        await person.reads("Listen on your own machine", "scp ", wav)

    review(folder, story, wavs=True)


def test_copying_the_paths(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)

    async def story(person: Person) -> None:
        wavs = [person.pane.review.row(each).wav for each in person.pane.order[:2]]  # type: ignore[union-attr]
        await person.press("space", "space", "y")
        await person.reads("clipboard.txt: 2 paths")
        copied = (home / "state" / "voicetui" / "clipboard.txt").read_text().splitlines()
        assert copied == [str(folder / "dataset" / wav) for wav in wavs]

    review(folder, story)


# --- with others ----------------------------------------------------------------------------------


def test_what_somebody_else_edits_is_read_again(folder: Path) -> None:
    from engine import project as projects
    from engine.dataset.review.review import Review

    async def story(person: Person) -> None:
        clip = person.row.id
        other = Review.open(projects.load(folder))
        other.drop([clip])
        other.close()
        await person.press("t")
        await person.until(lambda: person.row.id == clip and person.row.state == "dropped")

    review(folder, story)


# --- the other tabs -------------------------------------------------------------------------------


def test_the_ledger_names_reasons_and_shows_their_clips(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("3")
        await person.reads("low confidence", "Listen, correct the text", "Enter shows")
        await person.press("enter")
        await person.reads("1 of 12 clips: low confidence")
        await person.press("ctrl+g")
        await person.reads("12 clips")

    review(folder, story)


def test_statistics_say_when_to_be_concerned(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("4")
        await person.reads("✗ minutes", "Three minutes are the least", "✗ clips")
        await person.press("G")
        await person.reads("characters", "words")

    review(folder, story)


def test_suspects_are_listed_by_their_reason(folder: Path) -> None:
    listed = list(made_clips(12))
    kept = [clip for clip in listed if clip.state == "kept"]
    for clip, reason in zip(kept, ("other_speaker", "other_speaker", "disagreement"), strict=False):
        place = listed.index(clip)
        listed[place] = replace(clip, state="suspect", reason=reason)

    async def story(person: Person) -> None:
        await person.press("3")
        await person.reads("other speaker (suspect)", "disagreement (suspect)")
        await person.press("1", "f", "r")
        await person.reads("Show clips of which reason?", "disagreement, suspect (1)")
        key = next(
            match[1]
            for line in person.text.splitlines()
            if (match := re.search(r"(\w)   ?other speaker, suspect \(2\)", line))
        )
        await person.press(key)
        await person.reads("2 of 12 clips: other speaker")
        assert person.row.reason == "other_speaker"

    review(folder, story, listed)


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
def test_statistics_show_each_recording(folder: Path, size: tuple[int, int]) -> None:
    clips_project(folder, 12)
    source = next(made_clips(1)).source
    used = Recording(
        source.path, source.sha256, "used", rate=16_000, channels=1, format="flac pcm_16",
        seconds=90.0, quality={"loudness": -16.4, "snr": 31.0, "bandwidth": 7_580.0, "decay": 0.14,
        "hum": 50, "hum_db": -33.0, "peak": -2.2, "clipping": 0.0, "noise": -70.0, "hiss_db": None,
        "music": 0.0, "silence": 0.2},
    )  # fmt: skip
    others = [
        Recording("rec/[b]copy.wav", source.sha256, "duplicate", same_as=source.path),
        Recording("rec/\x1b[2Jbad.mp3", "", "failed", message="it is cut off"),
    ]
    content = accounting.encode([used, *others])
    (folder / "dataset" / accounting.FILE_NAME).write_bytes(content)

    async def story(person: Person) -> None:
        await person.press("4")
        await person.reads("of 1 min 30 s of audio:", "what to fix first")
        figures = person.app.screen.query_one("#figures", Pager)
        told = "\n".join(plain(line) for line in figures.lines)
        assert "1 used, 1 the same as another, 1 not usable" in told
        assert re.search(r"= \[b\]copy.wav +the same as ", told)
        assert re.search(r"✗ ␛\[2Jbad.mp3 +it is cut off", told)
        assert re.search(r"-16 +31 +7.6 +0.14", told)
        assert ("-33" in told) == (size[0] == 160), "what fits"

    review(folder, story, size=size)


def test_tab_goes_round_and_keys_of_other_tabs_say_where_they_belong(folder: Path) -> None:
    async def story(person: Person) -> None:
        await person.press("3", "d")
        await person.reads("That belongs to the review: press 1.")
        await person.press("tab", "tab")
        await person.until(lambda: person.screen.tab == "review")
        await person.press("p")
        await person.reads("That belongs to the preparation: press 2.")

    review(folder, story)
