"""The published XTTS bases as entries of the catalogue."""

from __future__ import annotations

from engine import languages
from engine.pretrains.entry import Entry, WeightsFile
from engine.xtts.base import KnownBase

# What an XTTS voice speaks with; it learns from 22,050 Hz.
_RATE = 24_000


def entry_of(base: KnownBase) -> Entry:
    """The entry of a published base."""
    revision = base.files[0].revision
    files = tuple(
        WeightsFile(
            file.path,
            size=file.size,
            sha256=file.sha256,
            revision="" if file.revision == revision else file.revision,
        )
        for file in base.files
    )
    return Entry(
        name=base.name,
        rate=_RATE,
        family="xtts",
        author=base.repository.partition("/")[0],
        repository=base.repository,
        revision=revision,
        languages=tuple(languages.LANGUAGES),
        embedder="",
        pitch=False,
        licence=base.licence,
        licence_url=base.licence_url,
        files=files,
    )
