"""Taking files into the store: turned into plain tensors, judged by them, and recorded.

It happens in a folder that has no name yet, so that nothing refused ever gets one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import DamagedError
from engine.files import move_file, sha256_file
from engine.pretrains import reader, store
from engine.pretrains.entry import Entry, Role, WeightsFile, rate_label
from engine.pretrains.facts import Facts, belong
from engine.pretrains.store import Came, Stored, StoredFile
from engine.text import clean

MADE = (store.tensors_name("G"), store.tensors_name("D"), store.RECORD)
_UNJUDGED = ".unjudged.safetensors"
_ROLES: Mapping[str, Role] = {"generator": "G", "discriminator": "D"}
_MEANT = {"G": "a generator", "D": "a discriminator"}


@dataclass(frozen=True)
class Arrived:
    """A whole file by its path in the folder; `role` is "" when only its tensors can say."""

    path: str
    size: int
    sha256: str
    role: Role = ""


def role_of(facts: Facts) -> Role:
    """What a file is of a pair: "G", "D", or "" for neither."""
    return _ROLES.get(facts.what, "")


def adopt(
    folder: Path,
    entry: Entry,
    files: Sequence[Arrived],
    *,
    came: Came,
    commit: str,
    check: Callable[[], None],
) -> None:
    """Make a folder with a generator and a discriminator in it a pretrain, but for its name.

    What its tensors say goes into the record. Raises DamagedError when they are not what the entry
    says, and what `reader.convert` raises.
    """
    judged = [_plain(folder, file, check) for file in files]
    kept = {file.role: file for file in judged}
    if set(kept) != {"G", "D"}:
        what = ", ".join(f"{clean(file.path)} is a {file.facts.what}" for file in judged)
        raise _refused(entry, [f"it needs one generator and one discriminator; {what}"])
    if reasons := reasons_against(entry, kept["G"].facts, kept["D"].facts):
        raise _refused(entry, reasons)
    pair = (kept["G"], kept["D"])
    pitch = kept["G"].facts.pitch
    known = replace(
        entry,
        pitch=entry.pitch if pitch is None else pitch,
        files=tuple(WeightsFile(file.path, file.role, file.size, file.sha256) for file in pair),
    )
    store.save(folder, Stored(folder, known, came, commit, store.now(), pair))


def reasons_against(entry: Entry, generator: Facts, discriminator: Facts) -> tuple[str, ...]:
    """Why two files are not the pair that an entry promises; empty when they are."""
    reasons = [f"G: {problem}" for problem in generator.problems]
    reasons += [f"D: {problem}" for problem in discriminator.problems]
    for name, facts in (("G", generator), ("D", discriminator)):
        if facts.rate and facts.rate != entry.rate:
            made, asked = rate_label(facts.rate), rate_label(entry.rate)
            reasons.append(f"{name} is made for {made}, not for {asked}")
    return (*reasons, *belong(generator, discriminator))


def _plain(folder: Path, file: Arrived, check: Callable[[], None]) -> StoredFile:
    """Write the plain tensors of a file beside it."""
    unjudged = folder / _UNJUDGED
    facts = reader.convert(folder / file.path, unjudged, check=check)
    role = role_of(facts)
    if file.role not in ("", role):
        raise DamagedError(
            f"{clean(file.path)} was refused: it should be {_MEANT[file.role]}, and its tensors are "
            f"those of: {facts.what}. Take the pair from its author's own repository."
        )
    tensors = folder / store.tensors_name(role)
    move_file(unjudged, tensors)
    size, sha256 = tensors.stat().st_size, sha256_file(tensors, lambda _: check())
    return StoredFile(role, file.path, file.size, file.sha256, facts, size, sha256)


def _refused(entry: Entry, reasons: Sequence[str]) -> DamagedError:
    return DamagedError(
        f"{clean(entry.name)} at {rate_label(entry.rate)} was refused: {clean('; '.join(reasons))}. "
        "Take the pair from its author's own repository, or another pretrain."
    )
