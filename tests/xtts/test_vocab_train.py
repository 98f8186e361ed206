"""Learning new tokens: what is added, what stays, and that the tokenizer really uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers_vocab import GREEK, SWEDISH

from engine.errors import BaseModelError
from engine.languages import LANGUAGES
from engine.xtts import vocab_texts, vocab_train
from engine.xtts.load import tokenizer_of
from engine.xtts.vocab_train import Wish

LANGUAGE_TEXTS = {"sv": SWEDISH, "el": GREEK}


@pytest.fixture(scope="module")
def document(tiny_base: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((tiny_base / "vocab.json").read_bytes())
    return loaded


def lower(texts: tuple[str, ...]) -> list[str]:
    return [text.lower() for text in texts]


@pytest.mark.parametrize("language", LANGUAGE_TEXTS)
def test_old_tokens_and_merges_keep_their_places(document: dict[str, Any], language: str) -> None:
    before = json.dumps(document)
    growth = vocab_train.grow(document, lower(LANGUAGE_TEXTS[language]), Wish())
    grown = vocab_train.extended(document, growth, f"[{language}]")
    assert json.dumps(document) == before
    old, new = document["model"], grown["model"]
    assert {token: new["vocab"][token] for token in old["vocab"]} == old["vocab"]
    assert new["merges"][: len(old["merges"])] == old["merges"]
    added = sorted(set(new["vocab"].values()) - set(old["vocab"].values()))
    first = vocab_train.rows_of(document)
    assert added == list(range(first, first + len(growth.tokens) + 1))
    assert vocab_train.rows_of(grown) == first + len(added)
    tokenizer = vocab_train.tokenizer_from(grown)
    assert tokenizer.encode(f"[{language}]a").tokens[0] == f"[{language}]"


@pytest.mark.parametrize("language", LANGUAGE_TEXTS)
def test_the_tokenizer_does_what_was_learned(document: dict[str, Any], language: str) -> None:
    """The merges that were counted are those that the tokenizers library does."""
    texts = lower(LANGUAGE_TEXTS[language])
    growth = vocab_train.grow(document, texts, Wish(min_count=1))
    grown = vocab_train.extended(document, growth)
    tokenizer = vocab_train.tokenizer_from(grown)
    # Nothing is left to merge: each word of the text has become one token.
    for text in texts:
        for word in text.split():
            whole = [part for part, _ in tokenizer.pre_tokenizer.pre_tokenize_str(word)]
            assert tokenizer.encode(word).tokens == whole
    before, after = vocab_train.measure(document, texts), vocab_train.measure(grown, texts)
    assert after.unknown == 0
    assert after.tokens_per_character < 0.5 * before.tokens_per_character


def test_greek_is_unknown_before_and_known_after(document: dict[str, Any]) -> None:
    texts = lower(GREEK)
    before = vocab_train.measure(document, texts)
    assert before.unknown_share > 0.9
    assert before.characters == sum(len(text.replace(" ", "")) for text in texts)
    growth = vocab_train.grow(document, texts, Wish(min_count=1))
    assert vocab_train.measure(vocab_train.extended(document, growth), texts).unknown == 0


def test_the_size_counts_characters_and_pieces(document: dict[str, Any]) -> None:
    growth = vocab_train.grow(document, lower(GREEK), Wish(size=40, min_count=1))
    assert len(growth.tokens) == 40
    few = vocab_train.grow(document, lower(GREEK), Wish(size=5, min_count=1))
    assert (len(few.characters), few.pieces) == (5, ())
    assert few.characters == growth.characters[:5]
    assert few.rare


def test_what_is_seen_too_seldom_is_left_out(document: dict[str, Any]) -> None:
    texts = ["ωωω ωωω ωω ξ", "ωω"]
    growth = vocab_train.grow(document, texts, Wish(min_count=2))
    assert growth.characters == ("ω",)
    assert growth.rare == {"ξ": 1}
    assert growth.pieces == ("ωω", "ωωω")
    assert vocab_train.grow(document, texts, Wish(min_count=7)).pieces == ()


def test_stop_tokens_are_neither_added_nor_grown(document: dict[str, Any]) -> None:
    texts = ["ωωω αβαβ ωωω αβαβ"]
    growth = vocab_train.grow(document, texts, Wish(stop=frozenset({"ω", "αβ"})))
    assert set(growth.characters) == {"α", "β"}
    assert "αβ" not in growth.pieces
    assert not any("αβ" in pair for pair in growth.merges)


def test_only_new_characters_leave_old_text_alone(document: dict[str, Any]) -> None:
    texts = [*lower(GREEK), *lower(SWEDISH)]
    everything = vocab_train.grow(document, texts, Wish(min_count=1))
    strict = vocab_train.grow(document, texts, Wish(min_count=1, new_characters_only=True))
    new = set(strict.characters)
    assert all(new.intersection(token) for token in strict.tokens)
    assert strict.pieces
    latin = ["han var inte i huset"]
    for growth, changes in ((strict, False), (everything, True)):
        grown = vocab_train.extended(document, growth)
        _, changed = vocab_train.changed_words(document, grown, latin)
        assert bool(changed) == changes


def test_merges_are_written_as_the_file_has_them(document: dict[str, Any]) -> None:
    growth = vocab_train.grow(document, ["ωω ωω"], Wish())
    in_texts = json.loads(json.dumps(document))
    in_texts["model"]["merges"] = [
        " ".join(pair) if isinstance(pair, list) else pair for pair in document["model"]["merges"]
    ]
    in_pairs = json.loads(json.dumps(document))
    in_pairs["model"]["merges"] = [pair.split(" ") for pair in in_texts["model"]["merges"]]
    assert vocab_train.grow(in_texts, ["ωω ωω"], Wish()) == growth
    assert vocab_train.extended(in_texts, growth)["model"]["merges"][-1] == "ω ω"
    assert vocab_train.extended(in_pairs, growth)["model"]["merges"][-1] == ["ω", "ω"]


def test_a_tag_outside_the_vocabulary_keeps_its_number(document: dict[str, Any]) -> None:
    tagged = vocab_train.tokenizer_from(document)
    tagged.add_special_tokens(["[sv]"])
    number = tagged.token_to_id("[sv]")
    with_tag = json.loads(tagged.to_str())
    growth = vocab_train.grow(with_tag, ["ωω ωω"], Wish())
    grown = vocab_train.extended(with_tag, growth, "[sv]")
    assert grown["model"]["vocab"]["[sv]"] == number
    assert vocab_train.rows_of(grown) == vocab_train.rows_of(with_tag) + len(growth.tokens)
    assert len(vocab_train.parts_of(with_tag, growth, "[sv]")) == len(growth.tokens)


def test_new_rows_are_made_of_what_the_text_was_before(document: dict[str, Any]) -> None:
    growth = vocab_train.grow(document, ["ωω ωω thinker thinker"], Wish())
    parts = vocab_train.parts_of(document, growth, "[sv]")
    by_token = dict(zip((*growth.tokens, "[sv]"), parts, strict=True))
    ids, first = document["model"]["vocab"], vocab_train.rows_of(document)
    assert by_token["ω"] == []
    assert by_token["ωω"] == [first, first]
    old = vocab_train.tokenizer_from(document)
    assert by_token["thinker"] == old.encode("thinker").ids
    assert by_token["[sv]"] == sorted(ids[f"[{code}]"] for code in LANGUAGES)


def test_a_vocabulary_of_another_kind_is_refused(document: dict[str, Any]) -> None:
    other = json.loads(json.dumps(document))
    other["model"]["end_of_word_suffix"] = "</w>"
    with pytest.raises(BaseModelError, match="ends of words"):
        vocab_train.grow(other, ["a"], Wish())
    with pytest.raises(BaseModelError, match="not a tokenizer file"):
        vocab_train.tokenizer_from({"model": {}})


def test_old_text_stands_in_every_language(tiny_base: Path) -> None:
    found, missing = vocab_texts.old_cleaned(tokenizer_of(tiny_base))
    assert set(found) == set(LANGUAGES)
    assert missing == []
    assert all(len(texts) >= 4 and all(texts) for texts in found.values())
