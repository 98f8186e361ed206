"""How fast a card trains, by its name: the tiers of `profiles/gpus.toml`."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

# What stands around a model's name in the names that drivers give, and makes no other card of it.
_MAKER = {"NVIDIA", "GEFORCE", "TESLA", "GRID", "RTX", "GPU", "GRAPHICS"}
_BUILD = re.compile(r"\d+GI?B|HBM\d\w?|SXM\d?|PCIE|NVL|FHHL|DGXS|LITE|HASH|RATE")
# What makes less of the card than its name says.
_LAPTOP = {"LAPTOP", "MOBILE", "MAX", "Q", "WITH", "DESIGN", "MOBILITY"}
_SLICE = re.compile(r"MIG|\d+G|\d+C|\d+\.?\d*G\.\d+GB|\d+[ABCQ]")


@dataclass(frozen=True)
class Tier:
    """A tier, "S" (best) to "D", and the card of the list. `note` says what to take off, or is ""."""

    name: str
    card: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name} tier{self.note and f' ({self.note})'}"


def cards() -> Mapping[str, str]:
    """The tier of every card of the list."""
    text = resources.files("profiles").joinpath("gpus.toml").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for tier, table in tomllib.loads(text).items():
        for card in table["cards"]:
            # Best tier first: what was found already is better.
            found.setdefault(card, tier)
    return found


def tier_of(name: str) -> Tier | None:
    """The tier of a card as NVML names it, None when the list does not hold it.

    A laptop card, or a share of a card, gets the tier of the whole desktop card with a note.
    """
    words = _words(name)
    for card, tier in cards().items():
        model = _words(card)
        if words[: len(model)] != model:
            continue
        rest = [word for word in words[len(model) :] if not _BUILD.fullmatch(word)]
        if not rest:
            return Tier(tier, card)
        if set(rest) <= _LAPTOP:
            return Tier(tier, card, "that of the desktop card; a laptop card is slower")
        if all(_SLICE.fullmatch(word) for word in rest):
            return Tier(tier, card, "that of the whole card; this is a share of one")
    return None


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[\s\-_/()]+", name.upper()) if word and word not in _MAKER]
