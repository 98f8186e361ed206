"""Growing a vocabulary: new characters, pieces and merges behind the old ones, which never move.

The pieces are learned by byte-pair encoding that goes on where the old merges end. It counts pairs
of what the old vocabulary makes of the text, so each new merge is one that the grown tokenizer
really does: a BPE that is trained apart from the old one would be hidden behind its merges.
"""

from __future__ import annotations

import copy
import heapq
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from engine.errors import BaseModelError
from engine.text import clean
from engine.xtts.vocab import UNKNOWN

Document = Mapping[str, Any]
Pair = tuple[str, str]
_TOLD_EVERY = 50


@dataclass(frozen=True)
class Wish:
    """What is asked for: at most `size` new tokens, each seen `min_count` times in the text.

    Tokens in `stop` are neither added nor become part of a longer one. With `new_characters_only`,
    each new token holds a character that the old vocabulary lacks, so that no old text changes.
    """

    size: int = 2000
    min_count: int = 2
    stop: frozenset[str] = frozenset()
    new_characters_only: bool = False


@dataclass(frozen=True)
class Growth:
    """What a vocabulary gains, in the order of the new ids. `rare` are characters left out."""

    characters: tuple[str, ...]
    pieces: tuple[str, ...]
    merges: tuple[Pair, ...]
    rare: Mapping[str, int]

    @property
    def tokens(self) -> tuple[str, ...]:
        return self.characters + self.pieces


@dataclass(frozen=True)
class Measure:
    """How a tokenizer takes texts: characters without spaces, those it does not know, tokens."""

    characters: int
    unknown: int
    tokens: int

    @property
    def unknown_share(self) -> float:
        return self.unknown / max(1, self.characters)

    @property
    def tokens_per_character(self) -> float:
        return self.tokens / max(1, self.characters)


def tokenizer_from(document: Document) -> Any:
    """A `tokenizers.Tokenizer` of a vocab.json. Raises BaseModelError when it is none."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(json.dumps(document))
    except Exception as error:  # the tokenizers library raises nothing narrower
        raise BaseModelError(
            f"The vocabulary is not a tokenizer file ({clean(str(error))})."
        ) from error


def rows_of(document: Document) -> int:
    """The embedding rows that a vocabulary needs: its highest id + 1, as coqui counts them."""
    added = (token["id"] for token in document["added_tokens"])
    return 1 + int(max([*document["model"]["vocab"].values(), *added]))


def grow(
    document: Document,
    texts: Iterable[str],
    wish: Wish,
    progress: Callable[[int], None] = lambda _: None,
) -> Growth:
    """What a vocabulary needs for cleaned texts. `progress` gets the number of tokens made so far.

    It may raise to stop. Raises BaseModelError for a vocabulary that is not of XTTS's kind.
    """
    model = document["model"]
    if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        raise BaseModelError("The vocabulary marks the ends of words; XTTS's never does.")
    tokenizer = tokenizer_from(document)
    if tokenizer.pre_tokenizer is None:
        raise BaseModelError("The vocabulary does not cut text into words; XTTS's does.")
    words = _words(tokenizer, texts)
    known = model["vocab"]
    seen = Counter[str]()
    for word, count in words.items():
        for character in word:
            seen[character] += count
    strange = {c: n for c, n in seen.items() if c not in known and c not in wish.stop}
    frequent = sorted((c for c in strange if strange[c] >= wish.min_count), key=_by(strange))
    characters = tuple(frequent[: wish.size])
    rare = {c: strange[c] for c in sorted(strange, key=_by(strange)) if c not in characters}
    start = Growth(characters, (), (), rare)
    pieces, merges = _learn(
        _split(extended(document, start), words), document, characters, wish, progress
    )
    return Growth(characters, pieces, merges, rare)


def _by(counts: Mapping[str, int]) -> Callable[[str], tuple[int, str]]:
    return lambda token: (-counts[token], token)


def _words(tokenizer: Any, texts: Iterable[str]) -> Counter[str]:
    """The words of texts as the tokenizer cuts them before it looks at its vocabulary."""
    words = Counter[str]()
    for text in texts:
        if tokenizer.normalizer is not None:
            text = tokenizer.normalizer.normalize_str(text)
        for part in text.split():
            words.update(word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(part))
    return words


def _split(document: Document, words: Mapping[str, int]) -> list[tuple[list[str], int]]:
    """Each word in its present pieces, with how often it comes."""
    tokenizer = tokenizer_from(document)
    encoded = tokenizer.encode_batch(list(words), add_special_tokens=False)
    return [(list(one.tokens), count) for one, count in zip(encoded, words.values(), strict=True)]


def _learn(
    words: list[tuple[list[str], int]],
    document: Document,
    characters: Sequence[str],
    wish: Wish,
    progress: Callable[[int], None],
) -> tuple[tuple[str, ...], tuple[Pair, ...]]:
    """The new pieces and merges, the most frequent pair first; ties in the order of letters."""
    known = {*document["model"]["vocab"], *characters}
    ranks = {pair: rank for rank, pair in enumerate(_merges(document))}
    pairs = _Pairs(words, ranks)
    pieces: list[str] = []
    merges: list[Pair] = []
    made = len(characters)
    while made < wish.size and (found := pairs.most_frequent(wish.min_count)) is not None:
        result = "".join(found)
        barred = wish.stop.intersection((*found, result)) or UNKNOWN in found
        if barred or (wish.new_characters_only and not set(characters).intersection(result)):
            pairs.bar(found)
            continue
        merges.append(found)
        if result not in known:
            known.add(result)
            pieces.append(result)
            made += 1
            if made % _TOLD_EVERY == 0:
                progress(made)
        pairs.merge(found)
    return tuple(pieces), tuple(merges)


def _merges(document: Document) -> list[Pair]:
    """The merges of a vocabulary; older files write each as one text, newer ones as two."""
    found = []
    for merge in document["model"]["merges"]:
        left, right = merge.split(" ") if isinstance(merge, str) else merge
        found.append((left, right))
    return found


class _Pairs:
    """The neighbouring pieces in words, counted, while merges change the words."""

    def __init__(self, words: list[tuple[list[str], int]], ranks: dict[Pair, int]) -> None:
        self._words = words
        self._ranks = ranks
        self._counts = Counter[Pair]()
        self._where = defaultdict[Pair, set[int]](set)
        self._barred: set[Pair] = set()
        for index in range(len(words)):
            self._count(index, 1)
        self._queue = [(-count, pair) for pair, count in self._counts.items()]
        heapq.heapify(self._queue)

    def most_frequent(self, least: int) -> Pair | None:
        """The most frequent pair that is not barred, or None when none comes `least` times."""
        while self._queue:
            negative, pair = heapq.heappop(self._queue)
            # What was queued before the pair's count changed is out of date.
            if pair not in self._barred and self._counts[pair] == -negative:
                return pair if -negative >= max(1, least) else None
        return None

    def bar(self, pair: Pair) -> None:
        self._barred.add(pair)

    def merge(self, pair: Pair) -> None:
        """Add a merge of the lowest priority, and do it in every word that has the pair."""
        self._ranks[pair] = len(self._ranks)
        changed: set[Pair] = set()
        for index in sorted(self._where[pair]):
            changed.update(self._count(index, -1))
            pieces, count = self._words[index]
            self._words[index] = (settled(pieces, self._ranks), count)
            changed.update(self._count(index, 1))
        for one in changed:
            if self._counts[one] > 0:
                heapq.heappush(self._queue, (-self._counts[one], one))

    def _count(self, index: int, sign: int) -> list[Pair]:
        """Add the pairs of a word to the counts, or take them off."""
        pieces, count = self._words[index]
        pairs = list(pairwise(pieces))
        for pair in pairs:
            self._counts[pair] += sign * count
            if sign > 0:
                self._where[pair].add(index)
            else:
                self._where[pair].discard(index)
        return pairs


def settled(pieces: Sequence[str], ranks: Mapping[Pair, int]) -> list[str]:
    """Pieces after all merges that apply, as BPE does them: the lowest rank, then the leftmost."""
    left = list(pieces)
    while True:
        ranked = [
            (ranks[pair], place) for place, pair in enumerate(pairwise(left)) if pair in ranks
        ]
        if not ranked:
            return left
        place = min(ranked)[1]
        left[place : place + 2] = [left[place] + left[place + 1]]


def extended(document: Document, growth: Growth, tag: str = "") -> dict[str, Any]:
    """The vocabulary with a growth: new ids behind the highest one, and `tag` as a special token."""
    grown: dict[str, Any] = copy.deepcopy(dict(document))
    model = grown["model"]
    number = rows_of(document)
    for token in growth.tokens:
        model["vocab"][token] = number
        number += 1
    in_pairs = bool(model["merges"]) and not isinstance(model["merges"][0], str)
    model["merges"] += [
        list(pair) if in_pairs else f"{pair[0]} {pair[1]}" for pair in growth.merges
    ]
    if tag and tag not in model["vocab"]:
        # A tag that is an added token already keeps its id, and is only written down here too.
        held = {token["content"]: token["id"] for token in grown["added_tokens"]}
        model["vocab"][tag] = held.get(tag, number)
        if tag not in held:
            grown["added_tokens"].append(_special(tag, number))
    return grown


def _special(content: str, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "special": True,
        "content": content,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
    }


def measure(document: Document, texts: Iterable[str]) -> Measure:
    """How a vocabulary takes cleaned texts; spaces are tokens too, and not characters."""
    tokenizer = tokenizer_from(document)
    unknown_id = tokenizer.token_to_id(UNKNOWN)
    characters = unknown = tokens = 0
    for text in texts:
        encoded = tokenizer.encode(text.replace(" ", "[SPACE]"), add_special_tokens=False)
        characters += len(text) - text.count(" ")
        tokens += len(encoded.ids)
        unknown += sum(
            end - start
            for number, (start, end) in zip(encoded.ids, encoded.offsets, strict=True)
            if number == unknown_id
        )
    return Measure(characters, unknown, tokens)


def changed_words(old: Document, new: Document, texts: Iterable[str]) -> tuple[int, list[str]]:
    """How many words cleaned texts have, and those that the two vocabularies split otherwise."""
    before, after = tokenizer_from(old), tokenizer_from(new)
    words = [word for text in texts for word in text.split(" ") if word]
    changed = [
        word
        for word, a, b in zip(
            words, before.encode_batch(words), after.encode_batch(words), strict=True
        )
        if a.ids != b.ids
    ]
    return len(words), changed


def parts_of(document: Document, growth: Growth, tag: str) -> list[list[int]]:
    """For each new row in order, the rows that it begins as the mean of; none for a new character.

    A piece begins as what it was before: the old tokens and new characters that it is made of. A
    tag begins as the mean of the tags that are there.
    """
    spelled = extended(document, Growth(growth.characters, (), (), {}))
    tokenizer = tokenizer_from(spelled)
    unknown_id = tokenizer.token_to_id(UNKNOWN)
    parts: list[list[int]] = [[] for _ in growth.characters]
    parts += [
        [number for number in one.ids if number != unknown_id]
        for one in tokenizer.encode_batch(list(growth.pieces), add_special_tokens=False)
    ]
    if tokenizer.token_to_id(tag) is None:
        parts.append(_tags(document))
    return parts


def _tags(document: Document) -> list[int]:
    """The ids of the languages' tags, which are special tokens in lower case."""
    return sorted(
        {
            token["id"]
            for token in document["added_tokens"]
            if token["content"].startswith("[") and token["content"] == token["content"].lower()
        }
    )
