"""The engine of voicetui: everything that works on a voice, with no terminal in sight."""

from __future__ import annotations

__version__ = "0.1.0"
