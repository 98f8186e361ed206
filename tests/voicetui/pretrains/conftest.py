"""A small hub with a pretrain that only a person's own list knows, and pairs that are here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hub_server
import pytest
from helpers_pretrains import write_discriminator, write_generator
from hub_server import Hub

from engine.pretrains import own

REPOSITORY = "someone/pairs"


# Bytes that a hub sends; that they are no weights is seen when all of them came.
SENT = {"G.pth": bytes(range(250)) * 3000, "D.pth": b"D" * 1000}


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A folder with the files of a small pair, as RVC writes them."""
    folder = tmp_path / "pair"
    folder.mkdir()
    write_generator(folder / "G.pth", 40000, leftovers=True)
    write_discriminator(folder / "D.pth")
    return folder


@pytest.fixture
def own_list() -> Path:
    """A person's own list with Aurora and Borealis, from one repository."""
    path = own.path()
    path.parent.mkdir(parents=True, exist_ok=True)
    tables = [
        f'[{name}]\nauthor = "Someone"\nrepository = "{REPOSITORY}"\nlanguages = ["sv"]\n'
        f'kind = "finetune"\nhours = 12\nlicence = "MIT"\n[{name}.40k]\n'
        'G = { path = "G.pth" }\nD = { path = "D.pth" }\n'
        for name in ("Aurora", "Borealis")
    ]
    path.write_text("\n".join(tables))
    return path


@pytest.fixture
def own_hub(own_list: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_server.running(monkeypatch) as server:
        server.put(REPOSITORY, SENT)
        yield server
