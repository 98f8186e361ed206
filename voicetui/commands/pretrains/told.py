"""An entry of the catalogue as the commands tell it: as JSON, and in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from engine.pretrains.entry import Entry, WeightsFile, rate_label
from engine.text import clean
from voicetui import amounts

if TYPE_CHECKING:
    from engine.pretrains.store import Stored

UNKNOWN = "-"
UNVERIFIED = "unverified"
VERIFIED = "verified"
HERE = "here"
_HUB = "https://huggingface.co"
_NEWEST = "main"


def titled(entry: Entry) -> str:
    """Its name and rate."""
    return f"{clean(entry.name)} at {rate_label(entry.rate)}"


def as_json(entry: Entry, *, installed: bool) -> dict[str, Any]:
    """An entry of `list --json`: what is not known is null, "" or []. Rates are Hz, sizes bytes."""
    return {
        "name": entry.name,
        "rate": entry.rate,
        "slug": entry.slug,
        "family": entry.family,
        "kind": entry.kind,
        "author": entry.author,
        "languages": list(entry.languages),
        "hours": entry.hours,
        "parent": entry.parent,
        "embedder": entry.embedder,
        "pitch": entry.pitch,
        "licence": entry.licence,
        "licence_url": entry.licence_url,
        "repository": entry.repository,
        "folder": entry.folder,
        "revision": entry.revision,
        "size": entry.size or None,
        "verified": entry.is_verified,
        "installed": installed,
        "origin": entry.origin,
        "note": entry.note,
    }


def file_json(entry: Entry, file: WeightsFile) -> dict[str, Any]:
    """A file of `show --json`."""
    return {
        "role": file.role,
        "path": file.path,
        "revision": file.revision or entry.revision,
        "size": file.size or None,
        "sha256": file.sha256,
    }


def page(entry: Entry) -> str:
    """The address of its page, or "" when its place is not known."""
    if not entry.repository:
        return ""
    below = "".join(f"/{quote(part)}" for part in entry.folder.split("/") if part)
    revision = quote(entry.revision or _NEWEST, safe="")
    return f"{_HUB}/{quote(entry.repository)}/tree/{revision}{below}"


def state(entry: Entry, *, installed: bool) -> str:
    """Whether it is on this machine, and else whether its files are known beforehand."""
    return HERE if installed else VERIFIED if entry.is_verified else UNVERIFIED


def languages(entry: Entry) -> str:
    """Its languages in few cells: "en", "ko,ja,en", "en +16"."""
    codes = entry.languages
    if len(codes) > 3:
        return f"{clean(codes[0])} +{len(codes) - 1}"
    return clean(",".join(codes)) or UNKNOWN


def hours(entry: Entry) -> str:
    """Hours of speech it was trained on."""
    return UNKNOWN if entry.hours is None else f"{entry.hours:g}"


def size(count: int) -> str:
    """A number of bytes, 0 when it is not known."""
    return amounts.size(count) if count else UNKNOWN


def stored_json(stored: Stored) -> dict[str, Any]:
    """What was seen when it came, and where it is; part of `show --json`."""
    from engine.pretrains import record

    return {"path": str(stored.folder)} | record.values_of(stored, leave_out="folder")


def bytes_of(entry: Entry, stored: Stored | None) -> int:
    """Bytes of its files: those that are here, else what is known beforehand; 0 for not known."""
    here = sum(file.size for file in stored.files) if stored is not None else 0
    return here or entry.size


def next_steps(entry: Entry, *, installed: bool) -> tuple[str, ...]:
    """What to type next, a line each."""
    slug = entry.slug
    if not installed:
        if entry.family == "rvc" and not entry.repository:
            return (
                "find its two files and download them; its place is not known. Then",
                f"voicetui pretrains get {slug} --from G.pth D.pth",
            )
        return (f"voicetui pretrains get {slug}",)
    if entry.family == "xtts":
        return (f"voicetui pretrains use {slug} DIR",)
    return (f"voicetui pretrains install {slug}",)


def facts(entry: Entry, stored: Stored | None) -> tuple[tuple[str, str], ...]:
    """What is known of an entry, and of what is here of it: labels and texts, safe to show."""
    family = "XTTS v2" if entry.family == "xtts" else "RVC"
    place = {"own": "your own pretrains.toml", "made": "your store alone"}
    spoken = ", ".join(entry.languages)
    licence = " ".join(filter(None, (entry.licence, entry.licence_url)))
    pitch = "yes" if entry.pitch else "no"
    return tuple(
        (label, clean(text) or UNKNOWN)
        for label, text in (
            ("family", family),
            ("rate", rate_label(entry.rate)),
            ("author", entry.author),
            ("kind", entry.kind),
            ("trained from", entry.parent),
            ("languages", spoken),
            ("hours", hours(entry)),
            *((("embedder", entry.embedder), ("pitch", pitch)) if family == "RVC" else ()),
            ("licence", licence),
            ("page", page(entry)),
            *_whence(entry, stored),
            ("listed in", place.get(entry.origin, "the catalogue of voicetui")),
            *((("note", entry.note),) if entry.note else ()),
        )
    )


def _whence(entry: Entry, stored: Stored | None) -> Iterator[tuple[str, str]]:
    if stored is None:
        yield "commit", entry.revision or "the newest when it is fetched"
        yield "size", size(entry.size)
        yield "state", state(entry, installed=False)
        return
    yield "commit", stored.commit
    yield "size", size(bytes_of(entry, stored))
    yield "state", f"{HERE}, {stored.came} {stored.since[:10]}"
    yield "folder", str(stored.folder)
    for at, line in enumerate(stored.lineage):
        yield "" if at else "made of", line
