"""Whether pretrains may be averaged: made for the same training, with the same tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from engine.errors import InputError
from engine.pretrains.entry import Role, rate_label
from engine.pretrains.facts import Facts
from engine.pretrains.plain import Spec
from engine.pretrains.store import Stored
from engine.text import clean


def require_together(sources: Sequence[Stored]) -> None:
    """Raise InputError unless all are pairs for the same training."""
    first, *others = sources
    for source in sources:
        if source.entry.family != "rvc":
            raise InputError(
                f"{title(source)} is an XTTS base, and only RVC pretrains can be merged."
            )
        for file in source.files:
            if problems := file.facts.problems:
                raise InputError(
                    f"The {file.role} of {title(source)} is not fit to be merged: "
                    f"{clean('; '.join(problems))}. Leave it out."
                )
    for other in others:
        reasons = [
            f"{what} {clean(a)} and {clean(b)}"
            for what, of in _MUST_AGREE
            if (a := of(first)) != (b := of(other))
        ]
        if reasons:
            raise InputError(
                f"{title(first)} and {title(other)} cannot be merged, they differ: "
                f"{'; '.join(reasons)}. Their tensors mean different things, so an average would "
                "be noise. Choose pretrains that agree in these."
            )


def _of_generator(field: Callable[[Facts], object]) -> Callable[[Stored], str]:
    return lambda stored: str(field(stored.file("G").facts))


# What both must have in common, as it is told to a person.
_MUST_AGREE: tuple[tuple[str, Callable[[Stored], str]], ...] = (
    ("version", _of_generator(lambda facts: facts.version or "unknown")),
    ("rate", lambda stored: rate_label(stored.file("G").facts.rate or stored.entry.rate)),
    ("pitch", _of_generator(lambda facts: {True: "yes", False: "no", None: "?"}[facts.pitch])),
    ("vocoder", _of_generator(lambda facts: facts.vocoder or "unknown")),
    ("embedder", lambda stored: stored.entry.embedder),
    # A row is a voice of its training; rows of tables of other sizes are never the same voices.
    ("speakers", _of_generator(lambda facts: facts.speakers)),
)


def require_same_tensors(
    role: Role,
    first: Stored,
    wanted: Mapping[str, Spec],
    other: Stored,
    found: Mapping[str, Spec],
) -> None:
    """Raise InputError unless both have tensors of the same names and shapes."""
    for name in sorted({*wanted, *found}):
        a, b = wanted.get(name), found.get(name)
        if a is None or b is None or a.shape != b.shape:
            shapes = [" x ".join(map(str, spec.shape)) if spec else "none" for spec in (a, b)]
            raise InputError(
                f"The {role} files of {title(first)} and {title(other)} are not built alike: "
                f"{clean(name)} is {shapes[0]} in one and {shapes[1]} in the other. "
                "They cannot be merged."
            )


def title(pretrain: Stored) -> str:
    """How messages call a pretrain."""
    name, slug = clean(pretrain.entry.name), clean(pretrain.entry.slug)
    return name if name == slug else f"{name} ({slug})"
