from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from helpers_speech import Spoken, as_recognised, at_random, spoken

from engine.audio.speech import Span
from engine.dataset.clips import Word
from engine.dataset.settle import settle


def settled(made: Spoken, *words: tuple[str, float, float]) -> list[tuple[float, float]]:
    given = [Word(text, start, end, 0.9) for text, start, end in words]
    return [(word.start, word.end) for word in settle(given, made.spans, made.levels, -50.0)]


TWO = spoken([("one.", 1.0, 2.0), ("Two", 2.5, 3.5)], 5.0)


def test_right_times_stay() -> None:
    assert settled(TWO, (" one.", 1.0, 2.0), (" Two", 2.5, 3.5)) == [(1.0, 2.0), (2.5, 3.5)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((0.7, 2.2), (2.2, 3.6)),  # both reach into the pause
        ((1.0, 1.8), (1.8, 3.5)),  # the second reaches over the pause: it begins a sentence
        ((1.0, 2.9), (2.9, 3.5)),  # the first reaches over it: it ends one
        ((1.2, 2.1), (2.2, 2.4)),  # the second lies in the pause
        ((1.3, 1.6), (2.9, 3.2)),  # neither reaches as far as the speech does
    ],
)
def test_words_are_moved_to_the_pause_between_them(
    first: tuple[float, float], second: tuple[float, float]
) -> None:
    (start, end), (begin, last) = settled(TWO, (" one.", *first), (" Two", *second))
    assert (start, end, begin) == (1.0, 2.0, 2.5)
    assert 2.5 <= last <= 3.5


def test_a_number_may_reach_far_over_its_speech() -> None:
    made = spoken([("240", 1.0, 3.0), ("now", 3.0, 3.4)], 5.0)
    assert settled(made, (" 240", 2.2, 2.4), (" now", 3.0, 3.4))[0][0] == 1.0
    assert settled(made, (" so", 2.2, 2.4), (" now", 3.0, 3.4))[0][0] == 2.2


def test_pauses_that_the_detector_bridged_are_found_by_their_quiet() -> None:
    made = spoken([("one.", 1.0, 2.0), ("Two", 2.5, 3.5)], 5.0)
    bridged = Spoken(made.words, [Span(1.0, 3.5)], made.levels, made.seconds)
    assert settled(bridged, (" one.", 1.0, 2.1), (" Two", 2.3, 3.5)) == [(1.0, 2.0), (2.5, 3.5)]


def test_pauses_in_noise_are_kept() -> None:
    noisy = Spoken(TWO.words, TWO.spans, np.full(500, -30.0, np.float32), 5.0)
    assert settled(noisy, (" one.", 1.0, 2.0), (" Two", 2.5, 3.5)) == [(1.0, 2.0), (2.5, 3.5)]


def test_borders_without_a_pause_go_to_the_quietest_place() -> None:
    made = spoken([("one", 1.0, 2.0), ("two", 2.0, 3.0)], 4.0)
    made.levels[205] = -40.0
    assert settled(made, (" one", 1.0, 2.0), (" two", 2.0, 3.0)) == [(1.0, 2.055), (2.055, 3.0)]


@pytest.mark.parametrize("seed", range(30))
def test_words_stay_in_order_and_inside_the_speech(seed: int) -> None:
    made = at_random(seed)
    words = settle(as_recognised(made.words, seed, 0.3), made.spans, made.levels, -50.0)
    assert [word.text for word in words] == [word.text for word in made.words]
    assert all(word.start <= word.end for word in words)
    assert all(left.end <= right.start + 1e-9 for left, right in pairwise(words))


def test_speech_that_no_word_explains_stays_out_of_the_words_around_it() -> None:
    made = spoken([("one", 1.0, 1.5), ("mumble", 1.55, 4.0), ("two", 6.0, 6.5)], 8.0)
    (_, end), _ = settled(made, (" one", 1.0, 1.5), (" two", 6.0, 6.5))
    assert end < 2.1
