"""The catalogue of pretrains: ours, a person's own, and those that were made on this machine."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

from engine import languages
from engine.errors import InputError, SettingError
from engine.pretrains import own, store, tables, xtts
from engine.pretrains.entry import (
    Entry,
    Family,
    Kind,
    bare_slug,
    rate_label,
    rate_of,
)
from engine.pretrains.tables import Table
from engine.text import clean, did_you_mean
from engine.xtts import base as bases

_FILE = "pretrains.toml"
# Where difflib finds two names alike enough to be one mistyped.
_LIKENESS = 0.6


def entries(*, with_own: bool = True) -> tuple[Entry, ...]:
    """All pretrains, an entry for each name and rate, in the order of the catalogue.

    Without `with_own` the person's own file is left aside. Raises SettingError when that cannot be
    read.
    """
    listed = (
        *_rvc(_ours(), own.load() if with_own else {}),
        *map(xtts.entry_of, bases.known().values()),
    )
    known = {entry.slug for entry in listed}
    made = (kept.entry for slug, kept in store.stored().items() if slug not in known)
    return (*listed, *made)


def entries_to_show() -> tuple[tuple[Entry, ...], str]:
    """All pretrains, and what is wrong with a person's own file or "": it hides none of ours."""
    try:
        return entries(), ""
    except SettingError as error:
        return entries(with_own=False), str(error)


@functools.cache
def _ours() -> Mapping[str, Table]:
    text = resources.files("profiles").joinpath(_FILE).read_text(encoding="utf-8")
    return tables.parse(tomllib.loads(text), _FILE)


def _rvc(ours: Mapping[str, Table], persons: Mapping[str, Table]) -> Iterator[Entry]:
    nothing = Table("", {}, {})
    for slug in {**ours, **persons}:
        our, mine = ours.get(slug, nothing), persons.get(slug, nothing)
        rates = sorted({*our.rates, *mine.rates})
        if not rates:
            raise SettingError(
                f"{clean(str(own.path()))} [{clean(mine.name)}]: it has no rate. Add a table for "
                f'one, such as ["{clean(mine.name)}".40k]; it may be empty.'
            )
        for rate in rates:
            ours_here, mine_here = our.rates.get(rate, {}), mine.rates.get(rate, {})
            fields = {**our.common, **ours_here, **mine.common, **mine_here}
            is_own = bool(mine.common) or rate in mine.rates
            origin = "own" if is_own else "catalogue"
            yield tables.build(our.name or mine.name, rate, fields, origin=origin)


def find(name: str, rate: int | str | None = None) -> Entry:
    """The entry that a person means by a name in any case, a slug, or a name and a rate.

    `rate` is in Hz, or as `rate_of` reads it. Raises InputError with the nearest name, or with the
    rates to choose from; SettingError.
    """
    return choose(entries(), name, rate)


def choose(known: Collection[Entry], name: str, rate: int | str | None = None) -> Entry:
    """As `find`, among given entries."""
    wanted_rate = rate_of(rate) if isinstance(rate, str) else rate
    found = _named(known, name)
    if not found:
        slugs = {entry.slug for entry in known} | {bare_slug(entry.name) for entry in known}
        hint = did_you_mean(bare_slug(name), sorted(slugs), _LIKENESS)
        raise InputError(
            f"There is no pretrain called {clean(name)!r}.{hint} "
            "'voicetui pretrains list' shows them all."
        )
    if wanted_rate is not None:
        at_it = [entry for entry in found if entry.rate == wanted_rate]
        found = at_it or _none_at(wanted_rate, known, found[0])
    if len(found) > 1:
        raise InputError(
            f"{clean(found[0].name)} comes at {_rates(found)}. Choose one with --rate, as in "
            f"--rate {rate_label(found[0].rate)}."
        )
    return found[0]


def taken(entry: Entry) -> str:
    """The slug of a known pretrain that a new entry would be taken for, or ""."""
    slugs = {known.slug for known in entries()}
    # A name such as "titan-40k" would always mean the pretrain that has it as its slug.
    return next((slug for slug in (entry.slug, bare_slug(entry.name)) if slug in slugs), "")


def _named(known: Collection[Entry], name: str) -> list[Entry]:
    """What bears the name: a slug before a name, because slugs are never ambiguous."""
    slug = bare_slug(name)
    if not slug:
        return []
    one = [entry for entry in known if entry.slug == slug]
    return one or [entry for entry in known if bare_slug(entry.name) == slug]


def _none_at(rate: int, known: Collection[Entry], found: Entry) -> list[Entry]:
    every = [entry for entry in known if entry.name == found.name]
    if rate in (entry.rate for entry in every):
        raise InputError(
            f"{found.slug} is the one at {rate_label(found.rate)}, and --rate says "
            f"{rate_label(rate)}. Give the name alone, or leave --rate out."
        )
    raise InputError(
        f"{clean(found.name)} does not come at {rate_label(rate)}, but at {_rates(every)}."
    )


def _rates(found: Iterable[Entry]) -> str:
    labels = [rate_label(entry.rate) for entry in sorted(found, key=lambda entry: entry.rate)]
    return " and ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))


@dataclass(frozen=True)
class Search:
    """What a person looks for; "" and None ask for nothing.

    `text` is words that all occur in what is known of an entry, `rate` is in Hz, `author` a part of
    a name, `language` a code or an English name, `installed` whether it is on this machine.
    """

    text: str = ""
    rate: int | None = None
    kind: Kind | None = None
    author: str = ""
    language: str = ""
    installed: bool | None = None
    family: Family | None = None


def search(
    known: Iterable[Entry], wanted: Search, stored_slugs: Collection[str]
) -> tuple[Entry, ...]:
    """The entries that fit, in their order. What is not known of an entry fits no wish for it."""
    return tuple(entry for entry in known if _fits(entry, wanted, stored_slugs))


def _fits(entry: Entry, wanted: Search, stored_slugs: Collection[str]) -> bool:
    return (
        wanted.rate in (None, entry.rate)
        and wanted.kind in (None, entry.kind)
        and wanted.family in (None, entry.family)
        and wanted.installed in (None, entry.slug in stored_slugs)
        and wanted.author.casefold() in entry.author.casefold()
        and (not wanted.language or _speaks(entry, wanted.language))
        and _says(entry, wanted.text)
    )


def _speaks(entry: Entry, language: str) -> bool:
    # "pt-br" and "pt" are one for a person who looks for a start.
    code = languages.normal(language).partition("-")[0]
    return any(known.partition("-")[0] == code for known in entry.languages)


def _says(entry: Entry, text: str) -> bool:
    spoken = (languages.LANGUAGES.get(code, "") for code in entry.languages)
    said = " ".join(
        (
            *(entry.name, entry.slug, entry.author, entry.repository, entry.family, entry.kind),
            *(entry.parent, entry.embedder, entry.licence, entry.note, *entry.languages, *spoken),
        )
    ).casefold()
    return all(word in said for word in text.casefold().split())
