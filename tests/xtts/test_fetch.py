from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path

import hub_server
import pytest
from hub_server import Hub

from engine import places
from engine.errors import (
    BaseModelError,
    DamagedError,
    DownloadError,
    InputError,
    LicenceError,
    RefusedError,
    StopRequested,
)
from engine.fetching.transfer import Policy
from engine.xtts import base as bases
from engine.xtts.base import KnownBase, KnownFile
from engine.xtts.fetch import fetch, import_folder

NAME = "xtts-v2.0.3"
REPO = "coqui/XTTS-v2"
QUICK = Policy(attempts=2, pause=0.005, timeout=2.0)
FILES = {name: random.Random(name).randbytes(20_000) for name in bases.FILES}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with hub_server.running(monkeypatch) as server:
        yield server


@pytest.fixture
def published(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> KnownBase:
    """The base under its real name with small files; of vocab.json nothing is known beforehand."""
    commit = hub.put(REPO, FILES, "v2.0.3")
    files = tuple(
        KnownFile(name, commit, len(data), hashlib.sha256(data).hexdigest())
        if name != "vocab.json"
        else KnownFile(name, "v2.0.3", 0, "")
        for name, data in FILES.items()
    )
    base = KnownBase(NAME, REPO, "Some Licence 1.0", "https://l.example", files)
    monkeypatch.setattr(bases, "known", lambda: {NAME: base})
    return base


def local_copy(folder: Path) -> Path:
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    return folder


def test_a_base_is_fetched_once_its_licence_is_accepted(hub: Hub, published: KnownBase) -> None:
    with pytest.raises(LicenceError, match="--accept-licence"):
        fetch(NAME, accept_licence=False, policy=QUICK)
    assert not hub.asked
    seen: list[int] = []
    folder = fetch(
        NAME, accept_licence=True, policy=QUICK, progress=lambda done, total: seen.append(done)
    )
    assert folder == places.models_dir("xtts") / NAME == bases.locate(NAME)
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    bases.check(folder)
    assert seen[-1] == sum(map(len, FILES.values()))
    assert NAME in json.loads((places.state_dir() / "licences.json").read_text())


def test_a_base_that_is_there_is_not_fetched_again(hub: Hub, published: KnownBase) -> None:
    fetch(NAME, accept_licence=True, policy=QUICK)
    hub.asked.clear()
    fetch(NAME, accept_licence=False, policy=QUICK)
    assert not hub.asked


def test_a_base_that_was_copied_into_place_by_hand_counts(hub: Hub, published: KnownBase) -> None:
    places.models_dir("xtts").mkdir(parents=True)
    folder = local_copy(places.models_dir("xtts") / NAME)
    assert fetch(NAME, accept_licence=False, policy=QUICK) == folder
    (folder / "model.pth").write_bytes(b"short")
    with pytest.raises(RefusedError, match="not touched"):
        fetch(NAME, accept_licence=True, policy=QUICK)


def test_a_file_with_another_hash_than_the_published_one_is_refused(
    hub: Hub, published: KnownBase
) -> None:
    wrong = bytes(20_000)
    hub.fail("hub", "GET", "config.json", hub_server.content(wrong))
    with pytest.raises(DownloadError, match=hashlib.sha256(wrong).hexdigest()):
        fetch(NAME, accept_licence=True, policy=QUICK)
    with pytest.raises(BaseModelError, match="not on this machine"):
        bases.locate(NAME)


def test_a_stop_is_heard(hub: Hub, published: KnownBase) -> None:
    def check() -> None:
        raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        fetch(NAME, accept_licence=True, policy=QUICK, check=check)


def test_the_pins_of_the_catalogue_are_used(hub: Hub) -> None:
    commit = "6c2b0d75eae4b7047358e3b6bd9325f857d43f77"
    hub.commits[commit] = FILES
    hub.refs[REPO] = {}
    with pytest.raises(DownloadError, match=r"config\.json.*4368"):
        fetch(NAME, accept_licence=True, policy=QUICK)
    assert commit in hub.asked[0].path


def test_unknown_names_get_the_nearest_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"xtts-v2\.0\.3"):
        fetch("xtts-2.0.3", accept_licence=True)
    with pytest.raises(InputError, match=r"xtts-v2\.0\.3"):
        import_folder("xtts-2.0.3", tmp_path)


def test_a_base_is_imported_without_the_hub(hub: Hub, published: KnownBase, tmp_path: Path) -> None:
    source = local_copy(tmp_path / "usb")
    (source / "README.md").write_text("not part of it")
    seen: list[int] = []
    folder = import_folder(NAME, source, progress=lambda done, total: seen.append(done))
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert sorted(path.name for path in folder.iterdir()) == sorted([*FILES, "fetched.json"])
    assert seen[-1] == sum(map(len, FILES.values()))
    assert import_folder(NAME, tmp_path / "gone") == folder
    assert fetch(NAME, accept_licence=False, policy=QUICK) == folder
    assert not hub.asked
    assert {name: (source / name).read_bytes() for name in FILES} == FILES


def test_an_import_of_other_files_is_refused(published: KnownBase, tmp_path: Path) -> None:
    source = local_copy(tmp_path / "usb")
    wrong = FILES["model.pth"][::-1]
    (source / "model.pth").write_bytes(wrong)
    with pytest.raises(DamagedError) as failure:
        import_folder(NAME, source)
    assert "model.pth" in str(failure.value)
    assert hashlib.sha256(wrong).hexdigest() in str(failure.value)
    assert hashlib.sha256(FILES["model.pth"]).hexdigest() in str(failure.value)
    assert not list(places.models_dir("xtts").rglob("model.pth*"))


def test_an_import_of_too_few_files_lists_them(published: KnownBase, tmp_path: Path) -> None:
    source = local_copy(tmp_path / "usb")
    (source / "dvae.pth").unlink()
    with pytest.raises(BaseModelError, match=r"dvae\.pth"):
        import_folder(NAME, source)
