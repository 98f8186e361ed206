"""Draws the README's pictures: `python tests/pictures/draw.py`.

They show the same made projects as the snapshots, see `helpers_pictures.py`.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# The scene of each picture, and its columns and rows.
PICTURES = {
    "home": ("home", 120, 26),
    "setup": ("setup-5", 120, 34),
    "review": ("review", 120, 36),
    "dashboard": ("dashboard", 120, 36),
    "checkpoints": ("checkpoints", 120, 24),
    "pretrains": ("pretrains", 120, 26),
}
_MOST_BYTES = 120_000


def draw(home: Path) -> None:
    """Write the pictures; `home` is an empty folder that becomes the person's home."""
    for name in ("DATA", "CONFIG", "STATE", "CACHE"):
        os.environ[f"XDG_{name}_HOME"] = str(home / name.lower())
    # After the home is settled.
    from helpers_pictures import World, pictures

    from voicetui.themes import DARK

    world = World(home)
    for name, (scene, columns, rows) in PICTURES.items():
        size = (columns, rows)
        picture = asyncio.run(pictures(scene, world, [size], [DARK.name]))[size, DARK.name]
        assert len(picture.encode()) <= _MOST_BYTES, f"{name} is too large"
        (HERE / f"{name}.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder))
