"""A voice project on disk: project.toml and the folders around it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tomli_w

from engine import languages, profile, settings
from engine.errors import InputError, RefusedError, SettingError
from engine.files import write_text
from engine.settings import Settings, Value
from engine.text import clean, did_you_mean

FILE_NAME = "project.toml"
FORMAT_VERSION = 1
_KEYS = ("format", "name", "language", "new_language", "base", "profile", "sources")
DEFAULT_BASE = "xtts-v2.0.3"


@dataclass(frozen=True)
class Project:
    """One voice. `sources` are as written in project.toml; `values` differ from the profile.

    `overrides` hold for one invocation and are never written. With `new_language`, the base does
    not know the language yet: `voicetui vocab` is to add it.
    """

    folder: Path
    name: str
    language: str
    base: str
    profile: str
    sources: tuple[str, ...]
    values: Mapping[str, Value]
    overrides: Mapping[str, Value] = field(default_factory=dict)
    new_language: bool = False

    @property
    def settings(self) -> Settings:
        """All settings: defaults, the profile's, the project's own, then the overrides."""
        return settings.resolve(profile.load(self.profile).values, self.values, self.overrides)

    @property
    def own_settings(self) -> Settings:
        """All settings as project.toml has them."""
        return replace(self, overrides={}).settings

    @property
    def base_reference(self) -> str:
        """The base as a known name or an absolute folder."""
        return _base_reference(self.folder, self.base)

    @property
    def dataset_dir(self) -> Path:
        return self.folder / "dataset"

    @property
    def cache_dir(self) -> Path:
        return self.folder / "cache"

    @property
    def runs_dir(self) -> Path:
        return self.folder / "runs"

    @property
    def jobs_dir(self) -> Path:
        return self.folder / "jobs"

    @property
    def export_dir(self) -> Path:
        return self.folder / "export"

    @property
    def source_paths(self) -> list[Path]:
        """The recordings and folders of recordings, absolute."""
        return [self.folder / source for source in self.sources]

    def with_values(self, values: Mapping[str, Value]) -> Project:
        """The project with some settings changed for this time only."""
        return replace(self, overrides={**self.overrides, **values})

    def save(self) -> None:
        """Write project.toml durably."""
        document: dict[str, Any] = {
            "format": FORMAT_VERSION,
            "name": self.name,
            "language": self.language,
            "base": self.base,
            "profile": self.profile,
            "sources": list(self.sources),
        }
        if self.new_language:
            document["new_language"] = True
        document |= settings.as_tables(self.values)
        write_text(self.folder / FILE_NAME, tomli_w.dumps(document))


def _base_reference(folder: Path, base: str) -> str:
    from engine.xtts import base as bases

    return base if base in bases.known() else str(folder.absolute() / base)


def _portable(folder: Path, path: Path) -> str:
    """A path as project.toml writes it: relative where it lies inside the project, else absolute.

    Raises InputError for a name that no text file can hold.
    """
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"The name {clean(str(path))!r} is not valid UTF-8; rename it, then name it again."
        ) from error
    absolute = Path(os.path.abspath(path))
    inside = absolute.is_relative_to(os.path.abspath(folder))
    return str(absolute.relative_to(os.path.abspath(folder)) if inside else absolute)


def check_name(name: str) -> None:
    """Raise InputError when a voice cannot be called so."""
    if not name.strip(" .") or clean(name) != name or "|" in name or "/" in name:
        raise InputError(
            "A voice's name must not be empty, only dots, or hold '|', '/' or control characters: "
            f"{clean(name)!r}."
        )


def check_source(folder: Path, source: Path) -> None:
    """Raise InputError when the project in `folder` cannot name a recording or a folder of them."""
    if not os.path.exists(source):
        raise InputError(f"There is no recording or folder {clean(str(source))}.")
    _portable(folder, source)


def check_free(folder: Path) -> None:
    """Raise InputError or RefusedError when no new project can be made in a folder."""
    if os.path.exists(folder / FILE_NAME):
        raise RefusedError(
            f"{clean(str(folder))} already holds a voice project. "
            "Take another folder, or change its project.toml."
        )
    parent = Path(os.path.abspath(folder))
    while not os.path.lexists(parent):
        parent = parent.parent
    if not os.path.isdir(parent):
        raise InputError(f"{clean(str(parent))} is a file. Take another folder.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(f"You may not write in {clean(str(parent))}. Take another folder.")


def create(
    folder: Path,
    *,
    name: str,
    language: str,
    sources: Sequence[Path],
    base: str = DEFAULT_BASE,
    profile_name: str = profile.DEFAULT,
    values: Mapping[str, Value] | None = None,
    allow_new_language: bool = False,
) -> Project:
    """Make a new project and write its project.toml.

    `allow_new_language` takes a language that the base does not know yet. Raises InputError for
    what is wrong, RefusedError when the folder already holds a project.
    """
    from engine.xtts import base as bases

    check_free(folder)
    check_name(name)
    for source in sources:
        check_source(folder, source)
    reference = bases.portable(base)
    vocab = bases.vocab_of(reference)
    code = languages.check(language, vocab, allow_new=allow_new_language)
    project = Project(
        folder,
        name.strip(),
        code,
        reference,
        profile.load(profile_name).name,
        tuple(_portable(folder, source) for source in sources),
        dict(values or {}),
        new_language=not languages.is_known(code, vocab),
    )
    folder.mkdir(parents=True, exist_ok=True)
    project.save()
    return project


def changed(
    project: Project,
    *,
    name: str,
    language: str,
    sources: Sequence[Path],
    base: str,
    profile_name: str,
    values: Mapping[str, Value],
    allow_new_language: bool = False,
) -> Project:
    """A project with other answers, checked; `save` writes it. `base` is a name or a folder.

    `allow_new_language` takes a language that the base does not know, as does a project that waits
    for its vocabulary already. Sources and base that stay are kept as they are written, even where
    their disk is away. Raises InputError.
    """
    from engine.xtts import base as bases

    check_name(name)
    written = {
        os.path.abspath(path): text
        for text, path in zip(project.sources, project.source_paths, strict=True)
    }
    stays = base == project.base_reference
    for source in sources:
        if os.path.abspath(source) not in written:
            check_source(project.folder, source)
    reference = project.base_reference if stays else bases.portable(base)
    vocab = bases.vocab_of(reference)
    allow_new = allow_new_language or project.new_language
    code = languages.check(language, vocab, allow_new=allow_new)
    return replace(
        project,
        name=name.strip(),
        language=code,
        new_language=not languages.is_known(code, vocab),
        base=project.base if stays else reference,
        profile=profile.load(profile_name).name,
        sources=tuple(
            written.get(os.path.abspath(source)) or _portable(project.folder, source)
            for source in sources
        ),
        values=dict(values),
    )


def with_base(project: Project, base: str) -> Project:
    """A project on another base, a name or a folder as project.toml writes it; `save` writes it."""
    from engine.xtts import base as bases

    vocab = bases.vocab_of(_base_reference(project.folder, base))
    known = languages.is_known(project.language, vocab)
    return replace(project, base=base, new_language=not known)


def require(folder: Path) -> None:
    """Raise InputError when a folder holds no project."""
    if not (folder / FILE_NAME).is_file():
        raise InputError(
            f"{clean(str(folder))} is not a voice project (it has no project.toml). "
            "Make one with 'voicetui new'."
        )


def load(folder: Path) -> Project:
    """Read the project in a folder. Raises InputError or SettingError with file, key and remedy."""
    from engine.xtts import base as bases

    require(folder)
    path = folder / FILE_NAME
    shown = clean(str(path))
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingError(f"{shown} is not valid TOML: {clean(str(error))}.") from error
    for key in document:
        if key not in _KEYS and key not in settings.SECTIONS:
            hint = did_you_mean(key, [*_KEYS, *settings.SECTIONS])
            raise SettingError(f"{shown}: there is no key {clean(key)!r}.{hint}")
    if document.get("format") != FORMAT_VERSION:
        raise SettingError(
            f"{shown}: format is {document.get('format')!r}; this version reads format {FORMAT_VERSION}."
        )
    if not isinstance(pending := document.get("new_language", False), bool):
        raise SettingError(f"{shown}: new_language must be true or false.")
    texts: dict[str, str] = {}
    for key in ("name", "language", "base", "profile"):
        if not isinstance(value := document.get(key), str) or not value:
            raise SettingError(f"{shown}: {key} must be text, found {clean(repr(value))}.")
        texts[key] = value
    try:
        check_name(texts["name"])
        vocab = bases.vocab_of(_base_reference(folder, texts["base"]))
        texts["language"] = languages.check(texts["language"], vocab, allow_new=pending)
        profile.load(texts["profile"])
    except InputError as error:
        raise SettingError(f"{shown}: {error}") from error
    sources = document.get("sources", [])
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise SettingError(f"{shown}: sources must be a list of paths.")
    return Project(
        folder,
        texts["name"],
        texts["language"],
        texts["base"],
        texts["profile"],
        tuple(sources),
        settings.read_tables(document, shown),
        new_language=not languages.is_known(texts["language"], vocab),
    )
