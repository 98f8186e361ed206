from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from helpers_speech import QUIET, Spoken, as_recognised, at_random, in_a_row, spoken

from engine.audio.speech import Span
from engine.dataset.clips import Reason, Word
from engine.dataset.segment import Piece, segment
from engine.dataset.wordless import SLIVER

SHORTEST, LONGEST = 1.0, 11.0


def cut(made: Spoken, words: list[Word] | None = None) -> list[Piece]:
    return segment(
        made.words if words is None else words,
        made.spans,
        made.levels,
        made.seconds,
        shortest=SHORTEST,
        longest=LONGEST,
    )


def texts(pieces: list[Piece]) -> list[str]:
    return [piece.text for piece in pieces]


def unexplained(made: Spoken, pieces: list[Piece]) -> list[Span]:
    """Runs of loud speech outside of all pieces."""
    open_ = np.zeros(round(made.seconds * 1000), bool)
    for span in made.spans:
        open_[round(span.start * 1000) : round(span.end * 1000)] = True
    open_ &= np.repeat(made.levels > QUIET, 10)[: len(open_)]
    for piece in pieces:
        open_[round(piece.start * 1000) : round(piece.end * 1000)] = False
    edges = np.flatnonzero(np.diff(open_.astype(int), prepend=0, append=0)).reshape(-1, 2)
    return [Span(begin / 1000, end / 1000) for begin, end in edges]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("jitter", [0.0, 0.1])
def test_every_second_of_speech_and_every_word_is_accounted_for(seed: int, jitter: float) -> None:
    made = at_random(seed)
    words = as_recognised(made.words, seed, jitter)
    pieces = cut(made, words)
    assert [w.text for piece in pieces for w in piece.words] == [w.text for w in made.words]
    assert all(left.end <= right.start + 1e-6 for left, right in pairwise(pieces))
    assert pieces[0].start >= 0
    assert pieces[-1].end <= made.seconds
    assert all(rest.seconds < SLIVER for rest in unexplained(made, pieces))
    for piece in pieces:
        fits = SHORTEST <= round(piece.seconds, 3) <= LONGEST
        assert fits == (piece.reason is None), piece


@pytest.mark.parametrize("seed", range(12))
def test_no_cut_lies_inside_a_word(seed: int) -> None:
    made = at_random(seed)
    edges = [edge for piece in cut(made) for edge in (piece.start, piece.end)]
    for word in made.words:
        inside = [edge for edge in edges if word.start + 0.011 < edge < word.end - 0.011]
        assert not inside, (word, inside)


@pytest.mark.parametrize("seed", range(8))
def test_missed_words_leave_dropped_speech_instead_of_nothing(seed: int) -> None:
    made = at_random(seed)
    heard = [word for word in made.words if not 30 < word.start < 60]
    pieces = cut(made, heard)
    missed = [piece for piece in pieces if piece.reason == Reason.NO_WORDS]
    assert sum(piece.seconds for piece in missed) > 8
    assert all(rest.seconds < SLIVER for rest in unexplained(made, pieces))


def test_clips_end_with_sentences() -> None:
    made = in_a_row(
        "The first sentence is about six words. | Is the second one a question too? |"
        "The third, | with a comma and a pause, | ends here."
    )
    assert texts(cut(made)) == [
        "The first sentence is about six words.",
        "Is the second one a question too?",
        "The third, with a comma and a pause, ends here.",
    ]


def test_short_sentences_are_merged_over_short_pauses_only() -> None:
    near = in_a_row("No. | I do not think so. | Yes!", pause=0.4)
    assert texts(cut(near)) == ["No. I do not think so. Yes!"]
    far = in_a_row("No. | I do not think so at all. | Yes!", pause=0.7)
    assert texts(cut(far)) == ["No.", "I do not think so at all.", "Yes!"]


def test_trailing_words_without_a_mark_are_kept() -> None:
    made = in_a_row("A whole sentence comes first here. | and then some more words follow")
    assert texts(cut(made))[-1] == "and then some more words follow"


def test_long_sentences_are_cut_at_commas_else_at_the_longest_pause() -> None:
    words = " ".join(["word"] * 15)
    with_comma = in_a_row(f"{words}, | {words} | {words}.", pause=0.2)
    pieces = cut(with_comma)
    assert pieces[0].text.endswith(",")
    assert all(piece.reason is None for piece in pieces)
    made = spoken(
        [(f"w{i}", round(0.3 * i + (0.35 if i >= 20 else 0) + (0.15 if i >= 30 else 0), 2),
          round(0.3 * i + 0.3 + (0.35 if i >= 20 else 0) + (0.15 if i >= 30 else 0), 2))
         for i in range(45)],
        20.0,
    )  # fmt: skip
    assert [len(piece.words) for piece in cut(made)] == [20, 25]


def test_speech_without_any_pause_is_still_cut_between_words() -> None:
    made = in_a_row(" ".join(["word"] * 80))
    pieces = cut(made)
    assert all(piece.reason is None for piece in pieces)
    assert sum(len(piece.words) for piece in pieces) == 80


def test_edges_keep_some_of_the_pause_and_lie_where_it_is_quietest() -> None:
    made = spoken([("One", 2.0, 3.0), ("two.", 3.0, 4.0), ("Three", 6.0, 7.5)], 9.0)
    made.levels[188] = made.levels[410] = QUIET - 10
    first, second = cut(made)
    assert (first.start, first.end) == (1.885, 4.105)
    for edge, word in ((second.start, 6.0), (second.end, 7.5)):
        assert 0.06 <= abs(edge - word) <= 0.15


def test_a_short_pause_is_shared_at_its_quietest_place() -> None:
    made = in_a_row("One two three four five six seven. | Eight nine ten eleven twelve.", pause=0.1)
    made.levels[385] = QUIET - 10
    first, second = cut(made)
    assert first.end == second.start == 3.855


def test_an_isolated_word_grows_into_its_silence_or_is_dropped() -> None:
    alone = spoken([("Yes.", 3.0, 3.4)], 6.0)
    (piece,) = cut(alone)
    assert piece.reason is None
    assert piece.seconds == pytest.approx(SHORTEST)
    assert piece.start < 3.0 < 3.4 < piece.end
    cramped = spoken([("Yes.", 0.2, 0.5)], 0.8)
    (piece,) = cut(cramped)
    assert piece.reason == Reason.TOO_SHORT


def test_growing_stops_at_the_neighbours() -> None:
    made = spoken(
        [
            ("a", 1.0, 3.0),
            ("b.", 3.0, 4.0),
            ("Yes.", 4.65, 4.85),
            ("c", 5.5, 7.0),
            ("d.", 7.0, 8.0),
        ],
        10.0,
    )
    pieces = cut(made)
    assert texts(pieces) == ["a b.", "Yes.", "c d."]
    assert pieces[0].end <= pieces[1].start
    assert pieces[1].end <= pieces[2].start
    assert pieces[1].start > 4.0
    assert pieces[1].end < 5.5


def test_a_word_that_never_ends_is_dropped_as_too_long() -> None:
    made = spoken([("ommm.", 1.0, 14.0), ("Then", 16.0, 17.5)], 20.0)
    pieces = cut(made)
    assert [piece.reason for piece in pieces] == [Reason.TOO_LONG, None]


def test_a_clip_holds_no_long_pause() -> None:
    made = in_a_row("Well, I wanted to say | that it is late", pause=2.0)
    assert texts(cut(made)) == ["Well, I wanted to say", "that it is late"]


def test_speech_without_words_is_in_no_clip() -> None:
    made = spoken([("one", 1.0, 2.5), ("mumble", 2.5, 3.8), ("two", 3.8, 5.5)], 7.0)
    pieces = cut(made, [made.words[0], made.words[2]])
    assert [piece.reason for piece in pieces] == [None, Reason.NO_WORDS, None]
    assert texts(pieces) == ["one", "", "two"]


def test_nothing_spoken_is_nothing_cut() -> None:
    assert cut(spoken([], 5.0)) == []


def test_spaces_of_scripts_without_spaces_are_not_invented() -> None:
    words = [Word("今日", 1.0, 1.8, 0.9), Word("は。", 1.8, 2.6, 0.9)]
    made = spoken([("x", 1.0, 2.6)], 4.0)
    assert texts(cut(made, words)) == ["今日は。"]


def test_long_speech_without_words_is_cut_where_it_is_quietest() -> None:
    made = spoken([("hum", 1.0, 30.0), ("One", 31.0, 32.5)], 34.0)
    made.levels[700:720] = QUIET + 20
    made.levels[1500:1520] = QUIET + 20
    pieces = cut(made, made.words[1:])
    assert [piece.reason for piece in pieces] == [Reason.NO_WORDS] * (len(pieces) - 1) + [None]
    assert all(piece.seconds <= LONGEST for piece in pieces)
    assert pieces[0].end == pytest.approx(7.1, abs=0.1)
    assert pieces[1].end == pytest.approx(15.1, abs=0.1)
    assert not unexplained(made, pieces)


def test_phrases_without_words_are_one_piece_but_never_over_a_clip() -> None:
    made = spoken(
        [("eh", 1.0, 1.4), ("ah", 1.8, 2.3), ("One", 3.0, 4.5), ("oh", 5.5, 6.0), ("uh", 8.0, 8.5)],
        9.0,
    )
    pieces = cut(made, [made.words[2]])
    expected = [(1.0, 2.3, ""), (3.0, 4.5, "One"), (5.5, 6.0, ""), (8.0, 8.5, "")]
    assert [piece.text for piece in pieces] == [text for _, _, text in expected]
    for piece, (start, end, _) in zip(pieces, expected, strict=True):
        assert 0.06 <= start - piece.start <= 0.15
        assert 0.06 <= piece.end - end <= 0.15


def test_a_text_with_too_many_tokens_is_cut_at_its_comma() -> None:
    made = in_a_row("One two three four five six, | seven eight nine ten.", pause=0.2)
    assert len(cut(made)) == 1
    pieces = segment(
        made.words,
        made.spans,
        made.levels,
        made.seconds,
        shortest=SHORTEST,
        longest=LONGEST,
        fits=lambda text: len(text.split()) <= 8,
    )
    assert texts(pieces) == ["One two three four five six,", "seven eight nine ten."]


def test_the_ends_of_words_that_only_the_detector_hears_are_kept() -> None:
    """As an f in noise: the level falls 0.2 s before the speech is over."""
    made = spoken([("enough.", 1.0, 2.2), ("Then", 3.0, 4.5)], 6.0)
    made.levels[200:220] = QUIET
    assert cut(made)[0].end >= 2.2


def test_in_noise_edges_keep_their_distance() -> None:
    made = spoken([("One", 1.0, 2.5), ("two.", 4.0, 5.5)], 7.0)
    noise = np.random.default_rng(3).normal(0.0, 1.0, len(made.levels)).astype(np.float32)
    made.levels[:] = np.where(made.levels > QUIET, made.levels, -45.0) + noise
    for piece, word in zip(cut(made), made.words, strict=True):
        assert word.start - piece.start >= 0.1
        assert piece.end - word.end >= 0.1
