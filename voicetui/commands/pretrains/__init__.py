"""The commands `voicetui pretrains …`."""

from __future__ import annotations

from collections.abc import Callable

# Each with its examples, a line each.
COMMANDS: tuple[tuple[Callable[..., None], str], ...] = ()
