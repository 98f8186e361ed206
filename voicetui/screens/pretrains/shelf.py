"""What the screen lists: the catalogue, and which of it is on this machine."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.files import safe_join
from engine.pretrains.entry import Entry, rate_label
from engine.text import clean

if TYPE_CHECKING:
    from engine.pretrains.installations import Installation
    from engine.pretrains.store import Stored
    from engine.project import Project


@dataclass(frozen=True)
class Item:
    """An entry, and what is known of it here. `damage` says why its files cannot be used.

    `part` is whether some of its bytes came already. `unfit` says why it is none for the project,
    `is_base` that it is its base.
    `installed` are the tools that it was put into. `on_disk` are the bytes of the files of an XTTS
    base that is here, by their paths: it has no record of them.
    """

    entry: Entry
    stored: Stored | None = None
    damage: str = ""
    part: bool = False
    unfit: str = ""
    is_base: bool = False
    installed: tuple[Installation, ...] = ()
    on_disk: Mapping[str, int] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return self.entry.slug

    @property
    def title(self) -> str:
        """What it is called in a sentence."""
        return title_of(self.entry)

    @property
    def size(self) -> int:
        """Bytes of its files as they came or will come; 0 when not known."""
        sizes = [bytes_ for _, bytes_, _ in self.files]
        return sum(sizes) if all(sizes) else 0

    @property
    def files(self) -> list[tuple[str, int, str]]:
        """Path, bytes and SHA-256 of each as it came or will come; 0 and "" when not known."""
        if self.stored is not None and self.stored.files:
            return [(file.path, file.size, file.sha256) for file in self.stored.files]
        return [
            (file.path, self.on_disk.get(file.path, file.size), file.sha256)
            for file in self.entry.files
        ]


def title_of(entry: Entry) -> str:
    """An entry as people call it: the name, with the rate where there are several."""
    name = clean(entry.name)
    return name if entry.family == "xtts" else f"{name} {rate_label(entry.rate)}"


@dataclass(frozen=True)
class Shelf:
    """All items in the order of the catalogue, and the project that they are looked at for."""

    items: Sequence[Item] = ()
    project: Project | None = None
    problems: Sequence[str] = ()
    by_slug: Mapping[str, Item] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_slug", {item.slug: item for item in self.items})


def read(folder: Path | None) -> Shelf:
    """Look at the catalogue and the disk, for a project or none: for a helper thread."""
    from engine.fetching import assembly
    from engine.pretrains import catalogue, store, use

    project, problems = _project(folder)
    entries, broken = catalogue.entries_to_show()
    problems += [broken] if broken else []
    here, damaged = store.look()
    places = _installed(problems)
    known = {entry.slug for entry in entries}
    problems += [told for slug, told in damaged.items() if slug not in known]
    items = []
    for entry in entries:
        items.append(
            Item(
                entry,
                here.get(entry.slug),
                damaged.get(entry.slug, ""),
                assembly.unfinished(store.folder_of(entry)).exists(),
                use.fits(entry, project) if project is not None else "",
                project is not None and use.is_used(entry, project),
                tuple(places.get(entry.slug, ())),
                _on_disk(here.get(entry.slug)),
            )
        )
    return Shelf(items, project, problems)


def _on_disk(stored: Stored | None) -> dict[str, int]:
    if stored is None or stored.files:
        return {}
    paths = {file.path: safe_join(stored.folder, file.path) for file in stored.entry.files}
    return {name: path.stat().st_size for name, path in paths.items() if path.is_file()}


def _project(folder: Path | None) -> tuple[Project | None, list[str]]:
    from engine import project
    from engine.errors import VoicetuiError

    if folder is None:
        return None, []
    try:
        return project.load(folder), []
    except (VoicetuiError, OSError) as error:
        return None, [clean(str(error))]


def _installed(problems: list[str]) -> dict[str, list[Installation]]:
    """The tools that hold pretrains which were put there from here, by their slugs."""
    from engine.errors import DamagedError, InputError
    from engine.pretrains import installations, installed

    try:
        files = list(installed.read().values())
    except DamagedError as error:
        problems.append(clean(str(error)))
        return {}
    found: dict[str, list[Installation]] = {}
    for folder, slug in dict.fromkeys((Path(file.path).parent, file.slug) for file in files):
        # A tool that is gone, or on a disk that is away, has nothing installed now.
        with contextlib.suppress(InputError):
            tool = installations.recognise(folder)
            found.setdefault(slug, []).append(replace(tool, folder=folder))
    return found


def stamp() -> tuple[object, ...]:
    """Changes when anything that `read` looks at may have changed."""
    from engine import places

    folders = [places.models_dir(family) for family in ("rvc", "xtts")]
    own = [places.config_dir() / "pretrains.toml", places.state_dir() / "installed.json"]
    return tuple(_changed(path) for path in (*folders, *own))


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
