from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from helpers_speech import in_a_row, spoken

from engine.dataset.clips import Word
from engine.dataset.given import words as given_words
from engine.dataset.given.beside import Given
from engine.dataset.given.flaws import Kind
from engine.dataset.given.words import Placed
from engine.dataset.segment import Piece
from engine.errors import TranscriptError

SPOKEN = in_a_row("w0 w1 w2 w3. | w4 w5 w6 w7. | w8 w9 w10.")
TEXT = "w0 w1 w2 w3. w4 w5 w6 w7. w8 w9 w10."


def place(path: Path, content: str, *, longest: float = 11.0, heard: Sequence[Word] = ()) -> Placed:
    """A transcript in the speech of `SPOKEN`, from 1.0 to 6.0 s; `heard` is the recogniser's."""

    def hear() -> Sequence[Word]:
        assert heard, "the recogniser must not be asked"
        return heard

    path.write_text(content)
    given = Given(path, "", None, ())
    return given_words.place(
        given, SPOKEN.spans, SPOKEN.levels, SPOKEN.seconds, longest=longest, hear=hear
    )


def cue(start: float, end: float, text: str) -> str:
    return f"00:00:{start:06.3f} --> 00:00:{end:06.3f}\n{text}\n\n"


def shown(placed: Placed) -> list[tuple[str, float]]:
    return [(word.text.strip(), word.start) for word in placed.words]


def test_a_short_text_is_placed_over_all_speech(tmp_path: Path) -> None:
    placed = place(tmp_path / "a.txt", TEXT.replace(" w4", "\n\n[pause]\nw4"))
    assert [text for text, _ in shown(placed)] == TEXT.split()
    starts = dict(shown(placed))
    assert (starts["w0"], starts["w4"], starts["w8"]) == (1.0, 2.9, 4.8)
    assert (placed.sounds, placed.flaws, placed.doubts) == (1, [], [])


def test_words_of_cues_stay_in_their_cues(tmp_path: Path) -> None:
    content = cue(0.8, 2.8, "w0 w1 w2 w3.") + cue(2.8, 6.5, "w4 w5 w6 w7. w8 w9 w10.")
    placed = place(tmp_path / "a.srt", content)
    starts = dict(shown(placed))
    assert (starts["w0"], starts["w4"], starts["w8"]) == (1.0, 2.9, 4.8)


def test_a_text_that_does_not_fit_its_cue_makes_it_doubtful(tmp_path: Path) -> None:
    crowd = "many words " * 20
    content = cue(0.8, 2.8, "w0 w1 w2 w3.") + cue(2.8, 4.7, crowd) + cue(4.7, 6.2, "w8 w9 w10.")
    placed = place(tmp_path / "a.srt", content)
    assert [(flaw.kind, flaw.line) for flaw in placed.flaws] == [(Kind.MISFIT, 4)]
    (doubt,) = placed.doubts
    assert (doubt.start, doubt.end) == (2.9, 4.5)
    pieces = [Piece(1.0, 2.7, tuple(placed.words[:4])), Piece(2.8, 4.6, tuple(placed.words[4:44]))]
    takes = given_words.takes(placed, [*pieces, Piece(4.8, 6.0, ())], SPOKEN.spans)
    assert [take.doubt for take in takes] == [None, "given_text", None]
    assert [take.fault for take in takes] == [None, None, "no_words"]


def test_a_long_cue_is_placed_by_the_recogniser(tmp_path: Path) -> None:
    words = [(f"w{number}", 1.0 + 0.4 * number, 1.4 + 0.4 * number) for number in range(100)]
    speech = spoken(words, 42.0)
    path = tmp_path / "a.srt"
    path.write_text(cue(0.5, 41.5, " ".join(text for text, *_ in words)))
    placed = given_words.place(
        Given(path, "", None, ()),
        speech.spans,
        speech.levels,
        speech.seconds,
        longest=11.0,
        hear=lambda: speech.words[::3],
    )
    assert [word.start for word in placed.words[::3]] == [word.start for word in speech.words[::3]]
    assert len(placed.words) == 100


def test_a_long_text_takes_the_times_of_the_recogniser(tmp_path: Path) -> None:
    placed = place(tmp_path / "a.txt", TEXT, longest=3.0, heard=SPOKEN.words)
    assert [start for _, start in shown(placed)] == [word.start for word in SPOKEN.words]


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        (
            "a.txt",
            "something else that nobody ever says here at all " * 2,
            "is not what is said: 0%",
        ),
        ("a.txt", "ten thousand words " * 600, "11400 characters, and the recording lasts 7 s"),
        ("a.txt", " [music]\n♪", "holds no words"),
        ("a.srt", "nothing timed", "holds no cue"),
        ("a.srt", cue(59.0, 59.5, "Hello"), "1 of its 1 cues lie where nobody speaks"),
        ("a.srt", cue(1.0, 2.0, "many words " * 30), "far too many or too few words"),
    ],
)
def test_what_cannot_be_the_transcript_is_refused(
    tmp_path: Path, name: str, content: str, seen: str
) -> None:
    with pytest.raises(TranscriptError) as caught:
        place(tmp_path / name, content, longest=3.0, heard=SPOKEN.words)
    assert seen in caught.value.seen
    assert name in caught.value.seen
    assert caught.value.remedy


def test_a_short_text_that_nobody_can_say_in_the_time_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TranscriptError, match=r"60 words for 4\.4 s of speech"):
        place(tmp_path / "a.txt", "many words " * 30)


def test_a_recording_without_speech_has_no_words(tmp_path: Path) -> None:
    for name, content in (("a.txt", "Nobody says this."), ("a.srt", cue(1.0, 2.0, "Nor this."))):
        path = tmp_path / name
        path.write_text(content)
        given = Given(path, "", None, ())
        levels = SPOKEN.levels * 0 - 80
        placed = given_words.place(given, [], levels, 7.0, longest=11.0, hear=list)
        assert placed.words == []
