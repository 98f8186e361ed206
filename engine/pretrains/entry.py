"""One pretrain of the catalogue, at one sample rate: what is known about it, and where its files are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from engine.errors import InputError
from engine.text import clean

Family = Literal["rvc", "xtts"]
Kind = Literal["scratch", "finetune", "merge", "unknown"]
# Of an RVC pair: the generator and the discriminator. The files of an XTTS base have none.
Role = Literal["G", "D", ""]
_NOT_IN_SLUGS = re.compile(r"[^a-z0-9.]+")
_RATE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?) ?k(?:hz)?|(\d{4,6})(?: ?hz)?")


@dataclass(frozen=True)
class WeightsFile:
    """A file of an entry, by its path in the repository.

    `size` 0 and `sha256` "" mean that they are not known; `revision` "" means that of the entry.
    """

    path: str
    role: Role = ""
    size: int = 0
    sha256: str = ""
    revision: str = ""


@dataclass(frozen=True)
class Entry:
    """A pretrain at one sample rate.

    `rate` is in Hz. `revision` is a commit, or "" when it is resolved as it is fetched. `files` is
    empty when their names are not known; they are then found by content in `folder` of the
    repository. `parent` is what it was trained from, or "". `origin` is "catalogue", "own", or
    "made" for one that was merged or imported here.
    """

    name: str
    rate: int
    family: Family = "rvc"
    author: str = ""
    repository: str = ""
    folder: str = ""
    revision: str = ""
    kind: Kind = "unknown"
    parent: str = ""
    languages: tuple[str, ...] = ()
    hours: float | None = None
    embedder: str = "contentvec"
    pitch: bool = True
    licence: str = ""
    licence_url: str = ""
    files: tuple[WeightsFile, ...] = ()
    note: str = ""
    origin: Literal["catalogue", "own", "made"] = "catalogue"

    @property
    def slug(self) -> str:
        """Its name for folders, files and commands: lower case, with the rate for RVC.

        Lower case, because Applio takes any file with a "G" or a "D" in its name for one.
        """
        bare = bare_slug(self.name)
        return bare if self.family == "xtts" else f"{bare}-{rate_label(self.rate)}"

    @property
    def is_verified(self) -> bool:
        """Whether the size and the SHA-256 of all its files are known beforehand."""
        return bool(self.files) and all(file.size and file.sha256 for file in self.files)

    @property
    def size(self) -> int:
        """Bytes of its files, 0 when one is not known."""
        sizes = [file.size for file in self.files]
        return sum(sizes) if all(sizes) else 0


def rate_label(rate: int) -> str:
    """A rate in Hz as people say it: "40k"."""
    return f"{rate / 1000:g}k"


def rate_of(text: str) -> int:
    """A rate in Hz from what people write: "40k", "40 kHz", "40000". Raises InputError."""
    match = _RATE.fullmatch(text.strip().lower())
    if match is None:
        raise InputError(
            f"{clean(text)!r} is no sample rate. Write it as 32k, 40k, 48k, or in Hz as 40000."
        )
    return round(float(match[1]) * 1000) if match[1] else int(match[2])


def bare_slug(name: str) -> str:
    """A name as the slugs of all its rates begin, "" when it has no letter or digit of ASCII."""
    return _NOT_IN_SLUGS.sub("-", name.lower()).strip("-.")
