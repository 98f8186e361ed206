"""Bringing a pretrain to this machine: from the hub, or from local files. Nothing here needs torch."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from engine import hub
from engine.errors import DamagedError, DownloadError, InputError, RefusedError, UnsafeFileError
from engine.fetching import assembly
from engine.fetching.assembly import Assembly, assemble
from engine.fetching.copying import copy
from engine.fetching.download import Meter
from engine.fetching.transfer import PATIENT, Policy
from engine.files import require_space
from engine.hub import Check, Progress, RemoteFile
from engine.pretrains import catalogue, reader, search, store
from engine.pretrains.adopt import MADE, Arrived, adopt, role_of
from engine.pretrains.entry import Entry, bare_slug, rate_label
from engine.pretrains.store import Came, Stored
from engine.text import clean
from engine.xtts import fetch as base_fetch

_COMMIT = re.compile(r"[0-9a-f]{40}")
_PAIR = {"G", "D"}
# Files that one message names.
_MOST_TOLD = 6


def fetch(
    entry: Entry,
    *,
    accept_licence: bool = False,
    progress: Progress = hub.ignore_progress,
    check: Check = hub.never_stop,
    policy: Policy = PATIENT,
) -> Stored:
    """A pretrain in the store, fetched unless it is there already.

    Its files come from one commit, are checked against the known sizes and hashes, and then judged
    by their tensors; see `engine.hub.fetch` and `engine.pretrains.adopt`. What came before an
    interruption is kept and not fetched again. Raises LicenceError, DownloadError, DamagedError,
    UnsafeFileError, DiskFullError, BusyError, and RefusedError when the store has another version.
    """
    if there := _in_store(entry):
        return there
    if not entry.repository:
        raise InputError(
            f"{clean(entry.name)} has no repository to fetch it from. Bring its files here and run "
            f"{_by_hand(entry)}."
        )
    if hub.is_offline():
        raise DownloadError(
            f"{clean(entry.name)} is not on this machine yet, and HF_HUB_OFFLINE forbids the "
            f"network. Unset it, or bring the files here by hand and run {_by_hand(entry)}."
        )
    if entry.family == "xtts":
        base_fetch.fetch(
            entry.slug,
            accept_licence=accept_licence,
            progress=progress,
            check=check,
            policy=policy,
        )
        return store.stored()[entry.slug]
    with assemble(store.folder_of(entry)) as parts:
        if {file.role for file in entry.files} >= _PAIR:
            files, commit = _fetch_named(parts, entry, progress, check, policy)
        else:
            files, commit = search.find(parts, entry, progress=progress, check=check, policy=policy)
        return _finish(parts, entry, files, "fetched", commit, check)


def import_files(
    entry: Entry,
    paths: Sequence[Path],
    *,
    progress: Progress = hub.ignore_progress,
    check: Check = hub.never_stop,
) -> Stored:
    """A pretrain in the store, copied from local files.

    `paths` are a generator and a discriminator in any order, or a folder that holds them; for an
    XTTS base its folder. They are judged as fetched ones are, and compared with the hashes of the
    entry where those are known. Raises InputError, DamagedError, UnsafeFileError, DiskFullError,
    BusyError, and RefusedError when the store has the pretrain already.
    """
    if entry.family == "xtts":
        if len(paths) != 1:
            raise InputError("An XTTS base comes from one folder: give --from once.")
        base_fetch.import_folder(entry.slug, paths[0], progress=progress, check=check)
        return store.stored()[entry.slug]
    store.require_free(entry)
    sources = _choose(entry, _weights_at(paths), check)
    sizes = [source.stat().st_size for source in sources]
    folder = store.folder_of(entry)
    require_space(folder.parent, 2 * sum(sizes), f"Importing {clean(entry.name)}")
    meter = Meter(progress, sum(sizes))
    with assemble(folder) as parts:
        files: list[Arrived] = []
        for source, size in zip(sources, sizes, strict=True):
            name = _free_name(source.name, [file.path for file in files])
            accept = partial(_require_published, entry, source)
            sha256 = copy(source, parts.path_of(name), meter, check, accept)
            parts.add(name, assembly.Entry("", "", "", size, sha256))
            files.append(Arrived(name, size, sha256))
            meter.close_file(size)
        return _finish(parts, entry, files, "imported", "", check)


def own_entry(
    name: str, paths: Sequence[Path], *, rate: int | None = None, check: Check = hub.never_stop
) -> Entry:
    """The entry of a person's own pretrain in local files, at the rate that its tensors say.

    Raises InputError for a name that cannot be one, or when there is no generator that says its
    rate; RefusedError when a pretrain has that name already; and as `import_files`.
    """
    if not bare_slug(name):
        raise InputError(
            f"{clean(name)!r} cannot be a name. Give one with letters from a to z or digits."
        )
    entry = Entry(name, rate or _rate_of(paths, check), origin="made")
    if taken := catalogue.taken(entry):
        raise RefusedError(
            f"There is a pretrain called {taken} already. Choose another name; or leave --name out "
            "and give that name, if these are its files."
        )
    return entry


def _rate_of(paths: Sequence[Path], check: Check) -> int:
    # Of a pair the generator is the smaller one.
    for path in sorted(_weights_at(paths), key=lambda path: path.stat().st_size):
        facts = reader.inspect(path, check=check)
        if role_of(facts) == "G" and facts.rate:
            return facts.rate
        if facts.what.startswith("xtts"):
            raise InputError(
                f"{clean(str(path))} is of an XTTS base. A project takes the folder of one as it "
                "is: voicetui new NAME --base DIR"
            )
    raise InputError(
        "None of these files is a generator that says its sample rate. Give a generator and a "
        "discriminator, and the rate with --rate, as in --rate 40k."
    )


def _weights_at(paths: Sequence[Path]) -> list[Path]:
    """The weights files among paths and in folders. Raises InputError, DamagedError."""
    found: list[Path] = []
    for path in paths:
        if (path / store.RECORD).is_file():
            copied = store.load(path)
            found += [path / file.path for file in copied.files]
        elif path.is_dir():
            inside = (each for each in sorted(path.iterdir()) if each.is_file())
            found += [each for each in inside if each.suffix.lower() in search.WEIGHTS]
        elif path.is_file():
            found.append(path)
        else:
            raise InputError(f"There is no file or folder {clean(str(path))}. Look at its path.")
    for path in found:
        if not os.access(path, os.R_OK):
            raise InputError(f"{clean(str(path))} cannot be read. Look at its permissions.")
    if len(found) < 2:
        raise InputError(
            "A pretrain is two files, a generator and a discriminator. Give both, as in --from "
            "G_FILE --from D_FILE, or a folder that holds them."
        )
    return found


def _choose(entry: Entry, found: Sequence[Path], check: Check) -> Sequence[Path]:
    """The two files of an entry: by their names when those are known, else by their content."""
    names = {PurePosixPath(file.path).name for file in entry.files if file.role in _PAIR}
    named = [path for path in found if path.name in names]
    if len(named) == 2:
        return named
    if len(found) == 2:
        return found
    # By their names where those differ.
    names_differ = len({path.name for path in found}) == len(found)
    paths = {path.name if names_differ else str(path): path for path in found}
    seen = [search.look(Arrived(name, 0, ""), path, check) for name, path in paths.items()]
    pairs = search.pairs_of(entry, seen)
    if len(pairs) == 1:
        return [paths[file.path] for file in pairs[0]]
    what = "more than one pair" if pairs else "no pair"
    told = "; ".join(map(str, seen[:_MOST_TOLD]))
    more = f" and {len(seen) - _MOST_TOLD} more" if len(seen) > _MOST_TOLD else ""
    raise InputError(
        f"These files hold {what} for {clean(entry.name)} at {rate_label(entry.rate)}: {told}{more}. "
        "Give the two files of a pair themselves."
    )


def _free_name(name: str, taken: Sequence[str]) -> str:
    while name in (*taken, *MADE, *assembly.OWN_NAMES):
        name = f"copy-{name}"
    return name


def _require_published(entry: Entry, source: Path, sha256: str) -> None:
    known = [file for file in entry.files if file.role in _PAIR]
    if known and all(file.sha256 not in ("", sha256) for file in known):
        raise DamagedError(
            f"{clean(str(source))} is not a published file of {clean(entry.name)}: its SHA-256 is "
            f"{sha256}. Copy it again; or keep it as a pretrain of your own, with --name."
        )


def _by_hand(entry: Entry) -> str:
    given = "DIR" if entry.family == "xtts" else "G_FILE --from D_FILE"
    return f"'voicetui pretrains get {clean(entry.slug)} --from {given}'"


def _in_store(entry: Entry) -> Stored | None:
    """The pretrain if it is here. Raises DamagedError, and RefusedError for another version."""
    folder = store.folder_of(entry)
    if entry.family == "xtts":
        return store.stored().get(entry.slug)
    if not folder.exists():
        return None
    there = store.load(folder)
    hashes = {file.sha256 for file in entry.files if file.sha256}
    moved = bool(_COMMIT.fullmatch(entry.revision)) and there.commit not in ("", entry.revision)
    if hashes - {file.sha256 for file in there.files} or (moved and not entry.is_verified):
        raise RefusedError(
            f"{clean(str(folder))} holds another version of {clean(entry.name)} than the catalogue "
            f"names now. Remove it with 'voicetui pretrains remove {clean(entry.slug)} --yes', and "
            "get it again."
        )
    return there


def _fetch_named(
    parts: Assembly, entry: Entry, progress: Progress, check: Check, policy: Policy
) -> tuple[tuple[Arrived, ...], str]:
    wanted = [file for file in entry.files if file.role in _PAIR]
    _require_free_names([file.path for file in wanted])
    remote = [
        RemoteFile(
            entry.repository,
            file.revision or entry.revision or "main",
            file.path,
            file.size,
            file.sha256,
        )
        for file in wanted
    ]
    # Plain tensors are never larger than the file that they are from.
    spare = sum(file.size for file in wanted)
    fetched = hub.fill(parts, remote, spare=spare, progress=progress, check=check, policy=policy)
    files = tuple(
        Arrived(file.path, one.size, one.sha256, file.role)
        for file, one in zip(wanted, fetched, strict=True)
    )
    return files, fetched[0].commit


def _require_free_names(names: Sequence[str]) -> None:
    for name in names:
        if name.partition("/")[0] in MADE:
            raise InputError(
                f"A file called {clean(name)} cannot be fetched, for the store has one of that "
                "name. Download it by hand, rename it, and give it with --from."
            )


def _finish(
    parts: Assembly, entry: Entry, files: Sequence[Arrived], came: Came, commit: str, check: Check
) -> Stored:
    """Judge what is there, and give the folder its name."""
    try:
        adopt(parts.folder, entry, files, came=came, commit=commit, check=check)
    except (DamagedError, UnsafeFileError):
        # Fetched bytes that the catalogue vouches for are good: what failed may be this machine, and
        # a later attempt needs them. Others are of no use any more.
        if came == "imported" or not entry.is_verified:
            parts.discard()
        raise
    parts.commit([file.path for file in files], MADE)
    return store.load(parts.place)
