"""Merging pretrains: the weighted average of their generators, and of their discriminators.

With weights a that sum to 1, each tensor becomes sum(a_i * m_i); in difference mode, with a base b
and the weights as they are given, b + sum(a_i * (m_i - b)). Computed in 32 bits, in the order of
the parts, a tensor at a time: the same parts always give the same bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from engine import hub
from engine.errors import DamagedError, InputError, RefusedError
from engine.fetching.download import Meter
from engine.files import require_space, sha256_file
from engine.hub import Check, Progress
from engine.pretrains import catalogue, plain, store
from engine.pretrains.entry import Entry, Role, bare_slug
from engine.pretrains.facts import Facts
from engine.pretrains.plain import Spec, TensorFile
from engine.pretrains.store import Stored, StoredFile
from engine.pretrains.together import require_same_tensors, require_together, title
from engine.text import clean

if TYPE_CHECKING:
    from engine.pretrains.plain import Floats

WARNING = (
    "Merged pretrains are considered the worst kind: an average blurs what each part had learned. "
    "Compare it with its parts before you train a voice from it."
)
Precision = Literal["", "fp32", "fp16"]

_ROLES: tuple[Role, ...] = ("G", "D")
_DTYPES = {"fp32": "F32", "fp16": "F16"}
_MARGIN_BYTES = 1 << 20


@dataclass(frozen=True)
class Part:
    """A pretrain that goes into a merge, and how much of it."""

    pretrain: Stored
    weight: float


def merge(
    name: str,
    parts: Sequence[Part],
    *,
    difference: Stored | None = None,
    precision: Precision = "",
    progress: Progress = hub.ignore_progress,
    check: Check = hub.never_stop,
) -> Stored:
    """A new pretrain in the store: the average of the parts, or a base plus what they differ by.

    `difference` is that base. Without a `precision` each tensor has that of the first part. The
    result's lineage names parts, weights and hashes, and its note is `WARNING`. `progress` gets
    bytes; `check` is called between tensors and may raise to stop. Raises InputError when the parts
    do not go together, RefusedError when the name is taken, DamagedError when a part has changed on
    the disk, FailedError when a value does not fit the precision, DiskFullError.
    """
    weights = _weights(parts, average=difference is None)
    sources = [part.pretrain for part in parts] + ([difference] if difference else [])
    require_together(sources)
    entry = _entry(name, sources)
    if taken := catalogue.taken(entry):
        raise RefusedError(f"There is a pretrain called {taken} already. Choose another name.")
    pairs = {role: _Mix(role, sources, weights, precision) for role in _ROLES}
    size = sum(pair.size for pair in pairs.values())
    require_space(store.folder_of(entry), size + _MARGIN_BYTES, "The merged pretrain")
    meter = Meter(progress, size + sum(_bytes_read(source) for source in sources))
    for source in sources:
        _require_unchanged(source, meter, check)
    with store.adding(entry) as folder:
        files = tuple(pair.write(folder, meter, check) for pair in pairs.values())
        lineage = tuple(_lineage(parts, weights, difference))
        final = store.folder_of(entry)
        merged = Stored(final, entry, "merged", "", store.now(), files, lineage)
        store.save(folder, merged)
    return merged


class _Mix:
    """The generators, or the discriminators, of all parts, and the base last in difference mode."""

    def __init__(
        self, role: Role, sources: Sequence[Stored], weights: Sequence[float], precision: Precision
    ) -> None:
        """Raises InputError when their tensors differ in names or shapes, DamagedError."""
        self._role = role
        self._weights = weights
        self._facts = sources[0].file(role).facts
        self._files = [TensorFile(source.tensors_of(role)) for source in sources]
        first = self._files[0].specs
        for source, file in zip(sources[1:], self._files[1:], strict=True):
            require_same_tensors(role, sources[0], first, source, file.specs)
        self._specs = {
            name: Spec(_DTYPES.get(precision, spec.dtype), spec.shape)
            for name, spec in first.items()
        }
        self._precision = precision

    @property
    def size(self) -> int:
        """Bytes of the tensors that are to be written."""
        return sum(spec.bytes for spec in self._specs.values())

    def write(self, folder: Path, meter: Meter, check: Check) -> StoredFile:
        """Write the mixed tensors into a folder. Raises FailedError."""
        name = store.tensors_name(self._role)
        plain.write(folder / name, self._specs, self._mixed, meter.counter(check))
        meter.close_file(self.size)
        size, sha256 = (folder / name).stat().st_size, sha256_file(folder / name)
        facts = _facts_of_mix(self._facts, self.size, self._precision)
        return StoredFile(self._role, name, size, sha256, facts, size, sha256)

    def _mixed(self, name: str) -> Floats:
        import numpy as np

        values = (file.read(name) for file in self._files[: len(self._weights)])
        base = self._files[-1].read(name) if len(self._files) > len(self._weights) else None
        result = np.zeros(self._specs[name].shape, np.float32) if base is None else base.copy()
        # Sums beyond 32 bits become infinite, which is refused when they are written.
        with np.errstate(over="ignore", invalid="ignore"):
            for weight, value in zip(self._weights, values, strict=True):
                result += np.float32(weight) * (value if base is None else value - base)
        return result


def _weights(parts: Sequence[Part], *, average: bool) -> list[float]:
    weights = [part.weight for part in parts]
    slugs = [part.pretrain.entry.slug for part in parts]
    if len(parts) < (2 if average else 1):
        raise InputError(
            "A merge needs two pretrains or more. Give each as NAME:WEIGHT, as in "
            "titan-40k:0.5 rin-e3-40k:0.5."
        )
    if len(set(slugs)) < len(slugs):
        raise InputError("A pretrain is given twice. Give each once, with its whole weight.")
    if not all(math.isfinite(weight) for weight in weights) or (average and min(weights) <= 0):
        raise InputError(
            "The weights of an average must be numbers above 0, as in titan-40k:0.5. To take "
            "something away from a pretrain, use difference mode."
        )
    if not average:
        if not all(weights):
            raise InputError("A weight of 0 leaves its part out. Leave that part away.")
        return weights
    # Divided before they are summed, so that large ones cannot overflow.
    shares = [weight / max(weights) for weight in weights]
    return [share / sum(shares) for share in shares]


def _require_unchanged(source: Stored, meter: Meter, check: Check) -> None:
    """Raise DamagedError unless the tensors are those that were recorded."""
    for role in _ROLES:
        file, path = source.file(role), source.tensors_of(role)
        found = sha256_file(path, meter.counter(check))
        if file.tensors_sha256 and found != file.tensors_sha256:
            raise DamagedError(
                f"{clean(str(path))} has changed since it was stored. Remove {title(source)} with "
                f"'voicetui pretrains remove {clean(source.entry.slug)} --yes' and get it again."
            )
        meter.close_file(path.stat().st_size)


def _bytes_read(source: Stored) -> int:
    return sum(source.tensors_of(role).stat().st_size for role in _ROLES)


def _facts_of_mix(first: Facts, size: int, precision: Precision) -> Facts:
    """Of a mix: those of the first part, but for what training left in it."""
    made = replace(first, bytes=size, iteration=None, leftovers=())
    return replace(made, precision=precision) if precision else made


def _entry(name: str, sources: Sequence[Stored]) -> Entry:
    first = sources[0]
    facts = first.file("G").facts
    entry = Entry(
        name=name,
        rate=facts.rate or first.entry.rate,
        kind="merge",
        parent=", ".join(source.entry.name for source in sources),
        languages=tuple(dict.fromkeys(code for each in sources for code in each.entry.languages)),
        embedder=first.entry.embedder,
        pitch=first.entry.pitch if facts.pitch is None else facts.pitch,
        licence=_licence(sources),
        note=WARNING,
        origin="made",
    )
    if not bare_slug(name):
        raise InputError(
            f"{clean(name)!r} cannot be a name. Give one with letters from a to z or digits."
        )
    return entry


def _licence(sources: Sequence[Stored]) -> str:
    """All licences of the parts, or "" when one is not known: the result is bound by each."""
    licences = [source.entry.licence for source in sources]
    return " and ".join(dict.fromkeys(licences)) if all(licences) else ""


def _lineage(
    parts: Sequence[Part], weights: Sequence[float], difference: Stored | None
) -> Iterator[str]:
    if difference is not None:
        yield f"base {_recorded(difference)}"
    for part, weight in zip(parts, weights, strict=True):
        yield f"{weight:.6g} of {_recorded(part.pretrain)}"


def _recorded(source: Stored) -> str:
    hashes = ", ".join(f"{role} {source.file(role).sha256}" for role in _ROLES)
    return f"{title(source)}: SHA-256 {hashes}"
