"""A local file copied as if it had been fetched: told, stoppable, checked before it has its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.fetching import partial
from engine.fetching.download import Meter
from engine.files import sha256_file

_AT_ONCE = 1 << 22


def copy(
    source: Path,
    target: Path,
    meter: Meter,
    check: Callable[[], None],
    accept: Callable[[str], None] = lambda _: None,
) -> str:
    """Copy a file and return its SHA-256, which `accept` gets first and may raise for.

    Nothing stays of a copy that was not accepted. Raises BusyError, DiskFullError.
    """
    with partial.hold(target) as part, source.open("rb", buffering=0) as handle:
        part.begin("", None)
        while piece := handle.read(_AT_ONCE):
            part.write(piece)
            meter.show(part.length)
            check()
        # The copy is what will be used, so the copy is what is checked.
        sha256 = sha256_file(part.path, lambda _: check())
        try:
            accept(sha256)
        except BaseException:
            part.discard()
            raise
        part.commit()
        return sha256
