"""Finding the generator and the discriminator of an entry whose file names are not known.

Names and sizes only say what to look at first; which file is what, its tensors say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, product
from pathlib import Path, PurePosixPath

from engine import hub
from engine.errors import DamagedError, DownloadError, UnsafeFileError
from engine.fetching.assembly import Assembly
from engine.fetching.transfer import Policy
from engine.hub import RemoteFile
from engine.pretrains import reader
from engine.pretrains.adopt import MADE, Arrived, reasons_against, role_of
from engine.pretrains.entry import Entry, rate_label
from engine.pretrains.facts import Facts
from engine.pretrains.words import in_words
from engine.text import clean

WEIGHTS = (".pth", ".pt", ".safetensors")
# From a generator in 16 bits (73 MB) to a discriminator in 32 bits with its optimizer (857 MB).
_LIKELY_BYTES = range(60_000_000, 1_200_000_000)
_RATE = re.compile(r"(?<!\d)(24|32|40|48)(?:k|000)(?!\d)", re.IGNORECASE)
_MOST_TRIES = 12


@dataclass(frozen=True)
class Seen:
    """A file that was looked at: what its tensors say, or why they could not be read."""

    file: Arrived
    facts: Facts | None
    problem: str = ""

    def __str__(self) -> str:
        found = in_words(self.facts) if self.facts is not None else self.problem
        return f"{clean(self.file.path)}: {clean(found)}"


class Ambiguous(DownloadError):
    """More than one pair fits. What was fetched is of use to an entry that names its files."""


def find(
    parts: Assembly,
    entry: Entry,
    *,
    progress: hub.Progress,
    check: hub.Check,
    policy: Policy,
) -> tuple[tuple[Arrived, ...], str]:
    """Fetch and judge files into an unfinished folder until a pair is found; it, and its commit.

    All files come from the commit that the entry's revision means at the start. Raises
    DownloadError when there is no pair, with nothing kept; Ambiguous when there are several; and as
    `hub.fetch`.
    """
    revision = entry.revision or "main"
    listed = hub.list_files(entry.repository, revision, check=check, policy=policy)
    seen: list[Seen] = []
    groups = list(likely_first(entry, listed))
    tried = 0
    for group in groups:
        if tried + len(group) > _MOST_TRIES:
            break
        tried += len(group)
        fetched = hub.fill(
            parts,
            group,
            spare=sum(file.size for file in group),
            progress=progress,
            check=check,
            policy=policy,
        )
        for remote, file in zip(group, fetched, strict=True):
            arrived = Arrived(remote.path, file.size, file.sha256)
            if all(arrived.sha256 != other.file.sha256 for other in seen):
                seen.append(look(arrived, file.path, check))
        pairs = pairs_of(entry, seen)
        if len(pairs) == 1:
            return pairs[0], listed[0].revision
        if pairs:
            raise Ambiguous(_told("more than one pair", entry, seen))
    parts.discard()
    raise DownloadError(_told("no pair", entry, seen, sum(map(len, groups)) - tried))


def likely_first(entry: Entry, listed: Sequence[RemoteFile]) -> Iterator[list[RemoteFile]]:
    """The weights files below an entry's folder, in groups that are equally likely."""
    root = PurePosixPath(entry.folder.strip("/"))

    def below(file: RemoteFile) -> PurePosixPath:
        return PurePosixPath(file.path).relative_to(root)

    def rank(file: RemoteFile) -> tuple[int, bool, int, str]:
        rates = {int(rate) * 1000 for rate in _RATE.findall(str(below(file)))}
        hint = 1 if not rates else 0 if entry.rate in rates else 2
        folder = below(file).parent
        return hint, file.size not in _LIKELY_BYTES, len(folder.parts), str(folder)

    weights = [
        file
        for file in listed
        if file.path.lower().endswith(WEIGHTS)
        and PurePosixPath(file.path).is_relative_to(root)
        # What the store makes beside them has these names.
        and file.path.partition("/")[0] not in MADE
    ]
    for _, group in groupby(sorted(weights, key=rank), key=rank):
        yield list(group)


def look(file: Arrived, path: Path, check: Callable[[], None]) -> Seen:
    """Read what a file is; one that cannot be read is seen too."""
    try:
        return Seen(file, reader.inspect(path, check=check))
    except (DamagedError, UnsafeFileError) as error:
        return Seen(file, None, str(error))


def pairs_of(entry: Entry, seen: Sequence[Seen]) -> list[tuple[Arrived, Arrived]]:
    """The generators and discriminators of an entry's rate that belong together."""
    known = [(each.file, each.facts) for each in seen if each.facts is not None]
    return [
        (generator, discriminator)
        for (generator, g), (discriminator, d) in product(known, known)
        if (role_of(g), role_of(d)) == ("G", "D") and not reasons_against(entry, g, d)
    ]


def _told(what: str, entry: Entry, seen: Sequence[Seen], unseen: int = 0) -> str:
    where = clean("/".join(filter(None, (entry.repository, entry.folder.strip("/")))))
    more = [f"{unseen} more weights files, which are too many to fetch all"] if unseen else []
    listed = "; ".join([*map(str, seen), *more]) or "no weights files"
    return (
        f"{where} has {what} for {clean(entry.name)} at {rate_label(entry.rate)}. Seen: {listed}. "
        "Name the two files in an entry of your own in pretrains.toml, or bring them here and run "
        f"'voicetui pretrains get {clean(entry.slug)} --from G_FILE --from D_FILE'."
    )
