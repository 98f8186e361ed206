from __future__ import annotations

import pytest

from engine.dataset.marks import ends_clause, ends_sentence


@pytest.mark.parametrize(
    "word", [" end.", " really?!", ' said."', " end.)", "终。", "何？", "है।", "نعم؟", "ہے۔", "so…"]
)
def test_sentence_ends_of_many_scripts(word: str) -> None:
    assert ends_sentence(word)


@pytest.mark.parametrize("word", [" but,", "但，", "لكن،", " first:", " one;", " then –"])
def test_clause_ends(word: str) -> None:
    assert ends_clause(word)
    assert not ends_sentence(word)


@pytest.mark.parametrize("word", [" 3.5", " word", "", " don't", " .net"])
def test_marks_inside_words_end_nothing(word: str) -> None:
    assert not ends_sentence(word)
    assert not ends_clause(word)
