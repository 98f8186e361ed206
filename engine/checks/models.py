"""Where things live, and which models are on this machine."""

from __future__ import annotations

from collections.abc import Iterator

from engine import places
from engine.checks.finding import Finding, Surroundings
from engine.dataset.hearing import asr_models
from engine.errors import BaseModelError
from engine.text import clean
from engine.xtts import base


def folders(_at: Surroundings) -> Iterator[Finding]:
    """The folders outside of projects."""
    for name, folder in (
        ("models", places.models_dir(base.FAMILY).parent),
        ("settings", places.config_dir()),
        ("state", places.state_dir()),
        ("cache", places.cache_dir()),
    ):
        yield Finding("ok", clean(str(folder)), name=f"{name} in")


def bases(_at: Surroundings) -> Iterator[Finding]:
    """The XTTS bases that were fetched."""
    whole, broken = [], []
    for name in base.known():
        folder = places.models_dir(base.FAMILY) / name
        if not folder.is_dir():
            continue
        try:
            base.check(folder)
            whole.append(name)
        except BaseModelError as error:
            broken.append((name, clean(str(error))))
    for name, text in broken:
        yield Finding("failure", text, f"Fetch it again: 'voicetui fetch {name}'.")
    if whole:
        yield Finding("ok", ", ".join(whole))
    elif not broken:
        newest = next(iter(base.known()))
        yield Finding(
            "warning",
            "none is on this machine",
            f"Fetch one with 'voicetui fetch {newest} --accept-licence', or give a project a "
            "folder of your own with --base.",
        )


def recognisers(_at: Surroundings) -> Iterator[Finding]:
    """The speech recognition models that are on this machine."""
    found = asr_models.on_this_machine()
    if not found:
        yield Finding(
            "warning",
            "none is on this machine",
            "'voicetui prepare' fetches the right one, or fetch it now: 'voicetui fetch small'.",
        )
    elif all(name.endswith(".en") for name in found):
        yield Finding("ok", f"{', '.join(found)}; another language fetches its own")
    else:
        yield Finding("ok", ", ".join(found))
