from __future__ import annotations

import random
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from test_clips import CLIP

from engine.dataset import clips
from engine.dataset.clips import Reason
from engine.dataset.findings.coverage import alphabet_of
from engine.dataset.ledger import ledger
from engine.dataset.review.rows import Maker, Row
from engine.dataset.review.scoring import RANGES, Scorer
from engine.dataset.statistics import statistics_of


def row(number: int = 0, seconds: float = 5.0, **values: Any) -> Row:
    clip = replace(
        CLIP,
        id=f"x-{number}",
        start=0.0,
        end=seconds,
        language="en",
        text="some words that are spoken here now",
        scores={"confidence": 0.95, "tokens": 20.0},
    )
    return Maker().row(clips.as_row(replace(clip, **values)))


def levels(*rows: Row) -> dict[str, str]:
    return {finding.name: finding.level for finding in statistics_of(rows).findings}


def test_figures_are_those_of_the_clips_in_use() -> None:
    found = statistics_of(
        [
            row(1, 4.0, text="Ab ab c"),
            row(2, 6.0, text="c, d!", split="eval"),
            row(3, 9.0, text="zzz", state="dropped", split=""),
        ]
    )
    assert (found.clips, found.train_clips, found.eval_clips) == (2, 1, 1)
    assert (found.seconds, found.train_seconds, found.eval_seconds) == (10.0, 4.0, 6.0)
    characters = {"a": 2, "b": 2, "c": 2, "d": 1, ",": 1, "!": 1}
    assert dict(found.coverage.characters) == characters
    assert (found.coverage.words, found.coverage.all_words) == (3, 5)
    assert found.lengths.counts == (0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0)
    assert found.lengths.median == 5.0
    assert sum(found.rates.counts) == 2
    assert (found.levels, found.snr) == (None, None)


def test_a_good_dataset_is_called_good() -> None:
    # Each of the common pairs of letters, in words that are many and real enough to look at.
    pairs = alphabet_of("en").common
    words = [f"{one}{other}" for one, other in product(pairs, pairs)]
    choose = random.Random(1)
    rows = [
        row(
            n,
            choose.uniform(3.0, 9.0),
            text=f"The old box of Jack Quiz, {' '.join(choose.sample(words, 8))} in May 1987{'.?!'[n % 3]}",
            split="eval" if n % 7 == 0 else "train",
        )
        for n in range(290)
    ]
    found = statistics_of(rows)
    assert {each.name: each.seen for each in found.findings if each.level != "good"} == {}


def test_concerns_are_told_with_what_they_mean_and_what_to_do() -> None:
    few = [row(n, 1.2) for n in range(10)]
    found = levels(*few, row(99, 30.0, state="dropped", split=""))
    assert found == {
        "minutes": "concern", "clips": "concern", "held out": "concern", "short clips": "concern",
        "average length": "watch", "split": "concern", "dropped": "concern", "variety": "watch",
        "speaking rate": "good", "sentences": "watch", "names and numbers": "good",
        "letters": "watch", "sounds": "concern",
    }  # fmt: skip
    for finding in statistics_of(few).findings:
        assert bool(finding.advice) == bool(finding.means) == (finding.level != "good")
    assert levels() == {"clips": "concern"}


@pytest.mark.parametrize(
    ("values", "name", "level"),
    [([20.0, 22.0], "noise", "watch"), ([5.0, 9.0], "noise", "concern"), ([30.0], "noise", "good")],
)
def test_measured_numbers_count_when_they_are_there(
    values: list[float], name: str, level: str
) -> None:
    rows = [row(n, scores={"snr": value}) for n, value in enumerate(values)]
    assert levels(*rows)[name] == level
    uneven = [row(n, scores={"level": value}) for n, value in enumerate((-30.0, -14.0))]
    assert levels(*uneven)["levels"] == "watch"
    assert statistics_of(uneven).levels is not None


def test_the_ledger_explains_each_loss() -> None:
    dropped = {"state": "dropped", "split": ""}
    rows = [
        row(1, 10.0),
        row(2, 2.0, reason="noise", **dropped),
        row(3, 5.0, reason="no_words", **dropped),
        row(4, 3.0, reason="noise", **dropped),
        row(5, 1.0, reason="\x1bnew", **dropped),
    ]
    found = ledger(rows)
    assert [(loss.reason, loss.clips, loss.seconds) for loss in found] == [
        ("no_words", 1, 5.0),
        ("noise", 2, 5.0),
        ("\x1bnew", 1, 1.0),
    ]
    assert found[0].remedy == Reason.NO_WORDS.remedy
    assert found[0].share == pytest.approx(5 / 21)
    assert "\x1b" not in found[2].words
    assert found[2].remedy
    assert ledger([rows[0]]) == []


def test_every_bad_number_lowers_the_score() -> None:
    usual = [row(n) for n in range(10)]
    scorer = Scorer(usual, 200)
    best = scorer.score(usual[0])
    assert best == 1.0
    scores = {"confidence": 0.95, "tokens": 20.0}
    worse = [
        row(agreement=0.4),
        row(seconds=0.9, text="hello"),
        row(text="far too many words for so little time " * 4),
        row(text="few"),
        row(scores=scores | {"tokens": 199.0}),
        *(row(scores=scores | {name: bad}) for name, (bad, _) in RANGES.items()),
    ]
    for bad in worse:
        assert 0.0 <= scorer.score(bad) < 0.75
    one, two = row(agreement=0.4), row(agreement=0.4, scores=scores | {"snr": 5.0})
    assert scorer.score(two) < scorer.score(one)


def test_a_score_needs_nothing_to_be_known() -> None:
    bare = row(text="", scores={})
    assert Scorer([bare], 200).score(bare) == 1.0
    assert Scorer([], 200).score(row()) == 1.0


def test_an_odd_level_is_seen_among_the_others() -> None:
    rows = [row(n, scores={"level": -20.0}) for n in range(9)] + [row(9, scores={"level": -35.0})]
    scorer = Scorer(rows, 200)
    assert scorer.score(rows[9]) < 0.6 < scorer.score(rows[0])
