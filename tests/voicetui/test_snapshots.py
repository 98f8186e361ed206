"""Pictures of every screen with settled data, at two sizes and in two themes.

`pytest tests/voicetui/test_snapshots.py --snapshot-update` takes them anew; look at them then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helpers_pictures import SCENES, Size, World, pictures
from textual.app import App

from voicetui.themes import DARK, LIGHT

SIZES = [(160, 45), (80, 24)]
THEMES = [DARK.name, LIGHT.name]


class Drawn(App[None]):
    """A picture that was drawn already, for the plug-in, which wants to run an app."""

    def __init__(self, picture: str) -> None:
        super().__init__()
        self._picture = picture

    def run(self, **_: Any) -> Any:
        return self._picture


class Album:
    """The pictures of a scene are drawn by one console, which is resized and changes its theme."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._drawn: dict[str, dict[tuple[Size, str], str]] = {}

    def picture(self, name: str, size: Size, theme: str) -> Drawn:
        if name not in self._drawn:
            self._drawn[name] = asyncio.run(pictures(name, self._world, SIZES, THEMES))
        return Drawn(self._drawn[name][size, theme])


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Album:
    return Album(World(tmp_path_factory.mktemp("world")))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCENES)
def test_screen(
    snap_compare: Callable[..., bool], album: Album, name: str, size: Size, theme: str
) -> None:
    assert snap_compare(album.picture(name, size, theme))


def test_the_pictures_are_those_of_any_machine() -> None:
    found = list((Path(__file__).parent / "__snapshots__").rglob("*.raw"))
    assert len(found) == len(SCENES) * len(SIZES) * len(THEMES)
    texts = {picture.name: picture.read_text() for picture in found}
    assert not [name for name, text in texts.items() if "/tmp" in text]
    assert sum(map(len, texts.values())) < 4_000_000
