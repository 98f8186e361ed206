"""Putting pretrains where Applio and RVC find them, and taking them away again.

The files get the catalogue's name, since several pretrains are called `G_2333333.pth` by their
authors. No file that is there is ever overwritten, and only files that are still as they were put
there are removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine import hub
from engine.errors import DamagedError, FailedError, InputError, RefusedError
from engine.fetching.download import Meter
from engine.files import atomic_path, make_dirs, require_space, safe_join, sha256_file, sync_dir
from engine.hub import Check, Progress
from engine.pretrains import advice, installed, pth
from engine.pretrains.entry import Role
from engine.pretrains.installations import Installation
from engine.pretrains.installed import Installed
from engine.pretrains.plain import TensorFile
from engine.pretrains.store import Stored, now
from engine.text import clean

_ROLES: tuple[Role, ...] = ("G", "D")
_LEFTOVER = re.compile(r"\.tmp-[0-9a-f]{32}")
_MARGIN_BYTES = 1 << 20
_COPIED_AT_ONCE = 1 << 22


@dataclass(frozen=True)
class Placement:
    """One file of a plan. `size` is in bytes, `is_there` when nothing must be done for it.

    Where `as_it_came` is False, the tools cannot load the author's file, and `target` is written
    anew with the same tensors.
    """

    role: Role
    source: Path
    target: Path
    size: int
    sha256: str
    as_it_came: bool
    is_there: bool


@dataclass(frozen=True)
class Plan:
    """What installing a pretrain would do. `warnings` tell what may not suit the tool."""

    pretrain: Stored
    installation: Installation
    placements: tuple[Placement, ...]
    warnings: tuple[str, ...]
    next_steps: tuple[str, ...]

    @property
    def missing(self) -> tuple[Placement, ...]:
        """The files that are not there yet."""
        return tuple(each for each in self.placements if not each.is_there)

    @property
    def size(self) -> int:
        """Bytes that would be written."""
        return sum(each.size for each in self.missing)


def file_name(role: Role, slug: str) -> str:
    """The name that a pretrain's file has in a tool's folder."""
    return f"{role}_{slug}.pth"


def plan(pretrain: Stored, installation: Installation) -> Plan:
    """What is to be copied where; nothing is written.

    Raises InputError for an XTTS base or half a pair, RefusedError when a different file has the
    name of one of its files, DamagedError.
    """
    title, slug = clean(pretrain.entry.name), pretrain.entry.slug
    if pretrain.entry.family != "rvc":
        raise InputError(
            f"{title} is an XTTS base, and {installation.title} trains RVC voices. XTTS bases are "
            f"used here: 'voicetui pretrains use {clean(slug)} DIR'."
        )
    recorded = installed.read()
    return Plan(
        pretrain,
        installation,
        tuple(_placement(pretrain, role, installation, recorded) for role in _ROLES),
        advice.warnings(pretrain, installation),
        advice.next_steps(installation, pretrain, *(file_name(role, slug) for role in _ROLES)),
    )


def _placement(
    pretrain: Stored, role: Role, installation: Installation, recorded: dict[str, Installed]
) -> Placement:
    file, tensors = pretrain.file(role), pretrain.tensors_of(role)
    original = safe_join(pretrain.folder, file.path)
    as_it_came = pth.loads_there(original, TensorFile(tensors).specs)
    source = original if as_it_came else tensors
    target = installation.folder / file_name(role, pretrain.entry.slug)
    there = False
    if os.path.lexists(target):
        known = recorded.get(_key(target))
        ours = known.sha256 if known and known.source_sha256 == file.sha256 else ""
        there = _is_one_of(target, {file.sha256, ours} if as_it_came else {ours})
        if not there:
            raise _taken(target)
    size = source.stat().st_size
    return Placement(role, source, target, size, file.sha256, as_it_came, there)


def install(
    wanted: Plan, *, progress: Progress = hub.ignore_progress, check: Check = hub.never_stop
) -> tuple[Path, ...]:
    """Write the files of a plan that are not there yet; gives their paths.

    All or none: after an error those that were written are gone again. `progress` gets bytes.
    Raises RefusedError when a name was taken meanwhile, DamagedError when the stored file has
    changed, DiskFullError, FailedError when the folder cannot be written to, BusyError.
    """
    folder, name = wanted.installation.folder, clean(wanted.pretrain.entry.name)
    if not wanted.missing:
        return ()
    meter, written = Meter(progress, wanted.size), list[Path]()
    with installed.alone(), _told(folder):
        make_dirs(folder)
        _sweep(folder)
        require_space(folder, wanted.size + _MARGIN_BYTES, f"Installing {name}")
        try:
            for each in wanted.missing:
                _write(each, wanted.pretrain, meter, check)
                written.append(each.target)
        except BaseException:
            _take_back(written)
            raise
    return tuple(written)


def _write(wanted: Placement, pretrain: Stored, meter: Meter, check: Check) -> None:
    """Write one file; it gets its name when it is whole, checked and recorded."""
    with atomic_path(wanted.target) as unfinished:
        if wanted.as_it_came:
            _copy(wanted.source, unfinished, meter, check)
        else:
            pth.write(wanted.source, unfinished, check)
        sha256 = sha256_file(unfinished, lambda _: check())
        if wanted.as_it_came and sha256 != wanted.sha256:
            raise DamagedError(
                f"{clean(str(wanted.source))} has changed since it was stored; it was not "
                f"installed. Remove it with 'voicetui pretrains remove "
                f"{clean(pretrain.entry.slug)} --yes' and get it again."
            )
        if os.path.lexists(wanted.target):
            raise _taken(wanted.target)
        key, slug = _key(wanted.target), pretrain.entry.slug
        installed.add(Installed(key, slug, wanted.role, sha256, wanted.sha256, now()))
    meter.close_file(wanted.size)


def _copy(source: Path, target: Path, meter: Meter, check: Check) -> None:
    with source.open("rb", buffering=0) as reader, target.open("xb") as writer:
        while piece := reader.read(_COPIED_AT_ONCE):
            writer.write(piece)
            meter.show(writer.tell())
            check()


def uninstall(slug: str, installation: Installation) -> tuple[Path, ...]:
    """Remove what was installed of a pretrain; gives the paths of the removed files.

    Raises InputError when nothing was, RefusedError when a file is not the one any more that was
    put there (nothing is removed then), FailedError when the folder cannot be written to, BusyError
    and DamagedError.
    """
    folder = installation.folder
    with installed.alone(), _told(folder):
        names = {_key(folder / file_name(role, slug)) for role in _ROLES}
        ours = [each for path, each in installed.read().items() if path in names]
        if not ours:
            raise InputError(
                f"voicetui has installed no {clean(slug)} in {clean(str(folder))}, and it removes "
                "no files that it did not put there."
            )
        there = [each for each in ours if os.path.lexists(each.path)]
        for each in there:
            if os.path.islink(each.path) or not _is_one_of(Path(each.path), {each.sha256}):
                raise RefusedError(
                    f"{clean(each.path)} has changed since voicetui put it there, so it was not "
                    "removed, nor was anything else. Remove it by hand if nobody needs it."
                )
        _take_back([Path(each.path) for each in ours])
    return tuple(Path(each.path) for each in there)


def _take_back(paths: list[Path]) -> None:
    """Remove files and then their entries: one that was removed already does no harm."""
    for path in paths:
        path.unlink(missing_ok=True)
    if paths:
        if paths[0].parent.is_dir():
            sync_dir(paths[0].parent)
        installed.forget({_key(path) for path in paths})


def _is_one_of(path: Path, hashes: set[str]) -> bool:
    return path.is_file() and sha256_file(path) in hashes


def _key(path: Path) -> str:
    return str(Path(os.path.realpath(path.parent)) / path.name)


def _taken(target: Path) -> RefusedError:
    return RefusedError(
        f"{clean(str(target))} is there already and is a different file. It was not touched, and "
        "nothing was installed. Rename or remove it, and run the command again."
    )


def _sweep(folder: Path) -> None:
    """Remove what a killed installation of ours left; nobody installs beside us now."""
    for path in folder.iterdir():
        ours = _LEFTOVER.fullmatch(path.name) and path.is_file() and not path.is_symlink()
        if ours and path.stat().st_uid == os.getuid():
            path.unlink()


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise FailedError(
            f"{clean(str(folder))} cannot be written to ({clean(error.strerror or '')}). Run the "
            "command as the user who owns it, or let its owner give you the right."
        ) from error
