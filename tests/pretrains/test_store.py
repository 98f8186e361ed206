from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from helpers_stored import keep_bytes

from engine import lock, places
from engine.errors import BusyError, DamagedError, InputError, RefusedError
from engine.fetching import assembly
from engine.pretrains import store
from engine.pretrains.entry import Entry
from engine.pretrains.store import Stored
from engine.xtts import base as bases

BASE = "xtts-v2.0.3"


def edit(stored: Stored, change: Callable[[dict[str, Any]], object]) -> None:
    path = stored.folder / store.RECORD
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


def test_a_record_says_all_again() -> None:
    kept = keep_bytes(
        lineage=("0.5 of Bert", "0.5 of Carl"),
        languages=("ko", "ja"),
        hours=11.0,
        files=("a b/G_2333333.pth", "a b/D_2333333.pth"),
        kind="merge",
        note="Ünïcode",
    )
    assert store.load(kept.folder) == kept
    assert store.stored() == {"anna-40k": kept}
    assert kept.folder == places.models_dir("rvc") / "anna-40k"
    assert kept.file("D").path == "a b/D_2333333.pth"
    assert kept.tensors_of("G").read_bytes() == b"the tensors of G"
    document = json.loads((kept.folder / store.RECORD).read_bytes())
    assert (document["format"], "folder" in document) == (1, False)
    edit(kept, lambda document: document["entry"].update(fame=3, hours=11))
    assert store.load(kept.folder) == kept


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda kept: (kept.folder / store.RECORD).unlink(), "pretrain.json is missing"),
        (lambda kept: (kept.folder / store.RECORD).write_bytes(b'{"form'), "pretrain.json cannot"),
        (lambda kept: (kept.folder / store.RECORD).write_bytes(b"[1]"), "pretrain.json cannot"),
        (lambda kept: (kept.folder / "sub" / "D.pth").unlink(), "sub/D.pth is missing"),
        (lambda kept: kept.tensors_of("G").write_bytes(b"th"), "G.safetensors has 2 bytes"),
        (lambda kept: edit(kept, lambda d: d["entry"].update(rate="40k")), "rate is str"),
        (lambda kept: edit(kept, lambda d: d["entry"].update(pitch=1)), "pitch is int"),
        (lambda kept: edit(kept, lambda d: d.update(came="stolen")), "came is str"),
        (lambda kept: edit(kept, lambda d: d.update(files={})), "files is dict"),
        (lambda kept: edit(kept, lambda d: d["files"].pop()), "G and one D"),
        (lambda kept: edit(kept, lambda d: d["files"][0].pop("facts")), "lacks a field"),
        (lambda kept: edit(kept, lambda d: d["files"][0].update(path="../../x")), "lead"),
    ],
)
def test_a_damaged_one_is_told_and_hides_no_other(
    damage: Callable[[Stored], object], told: str
) -> None:
    whole, kept = keep_bytes("Whole"), keep_bytes()
    damage(kept)
    with pytest.raises(DamagedError, match="voicetui pretrains remove anna-40k --yes") as failure:
        store.load(kept.folder)
    assert told in str(failure.value)
    assert store.stored() == {"whole-40k": whole}
    assert store.look()[1] == {"anna-40k": str(failure.value)}
    store.remove("anna-40k")
    assert not store.look()[1]


def test_a_folder_under_a_wrong_name_is_told() -> None:
    kept = keep_bytes()
    moved = kept.folder.rename(kept.folder.with_name("bert-40k"))
    assert store.load(moved).entry == kept.entry
    assert not store.stored()
    assert "that of anna-40k" in store.look()[1]["bert-40k"]


def test_a_record_of_a_newer_version_is_not_called_damaged() -> None:
    kept = keep_bytes()
    edit(kept, lambda document: document.update(format=2))
    with pytest.raises(DamagedError, match="newer voicetui"):
        store.load(kept.folder)


def test_only_whole_bases_are_in_the_store() -> None:
    folder = places.models_dir("xtts") / BASE
    folder.mkdir(parents=True)
    for file in bases.known()[BASE].files:
        with (folder / file.path).open("wb") as handle:
            handle.truncate(file.size)
    (found,) = store.stored().values()
    assert (found.folder, found.entry.slug, found.entry.family) == (folder, BASE, "xtts")
    assert store.folder_of(found.entry) == folder
    assert {file.path for file in found.entry.files} == set(bases.FILES)
    with (folder / "model.pth").open("r+b") as handle:
        handle.truncate(5)
    assert not store.stored()
    store.remove(BASE)
    assert not folder.exists()


def test_an_unfinished_folder_is_none_and_can_be_removed() -> None:
    entry = Entry("Anna", 40000)
    folder = store.folder_of(entry)
    with assembly.assemble(folder) as parts:
        (parts.folder / "G.pth.part").write_bytes(b"half")
        with pytest.raises(BusyError):
            store.remove(entry.slug)
    assert not store.stored()
    assert not store.look()[1]
    with lock.hold(parts.folder, "fetch"), pytest.raises(BusyError):
        store.remove(entry.slug)
    store.remove(entry.slug)
    assert not list(folder.parent.iterdir())


@pytest.mark.parametrize(
    "slug", ["nobody-40k", "", ".part-anna-40k", "../rvc/anna-40k", "/", "anna-40k/sub"]
)
def test_what_is_no_pretrain_is_not_removed(slug: str) -> None:
    kept = keep_bytes()
    with assembly.assemble(store.folder_of(Entry("Bert", 32000))) as parts:
        (parts.folder / "G.pth.part").write_bytes(b"half")
    with pytest.raises(InputError):
        store.remove(slug)
    assert store.load(kept.folder) == kept
    assert (parts.folder / "G.pth.part").exists()


def test_one_that_is_there_is_never_replaced() -> None:
    kept = keep_bytes()
    with pytest.raises(RefusedError, match="voicetui pretrains remove anna-40k"):
        keep_bytes("ANNA")
    assert store.load(kept.folder) == kept


def test_a_failure_leaves_nothing() -> None:
    entry = Entry("Anna", 40000)
    with contextlib.suppress(ZeroDivisionError), store.adding(entry) as folder:
        (folder / "G.pth").write_bytes(b"x")
        raise ZeroDivisionError
    assert not list(store.folder_of(entry).parent.iterdir())
