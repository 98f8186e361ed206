"""Pretrains in folders laid out like Applio's and RVC's, and what must never be lost there."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers_rights import as_a_user
from helpers_stored import PLAIN, keep, tensors_of
from helpers_tools import NEW_FOLDER, OLD_FOLDER, RVC_FOLDER, make_applio, make_rvc

from engine import places, weights
from engine.errors import (
    BusyError,
    DamagedError,
    DiskFullError,
    FailedError,
    InputError,
    RefusedError,
    StopRequested,
)
from engine.pretrains import installed, pth, store
from engine.pretrains.entry import Entry
from engine.pretrains.install import install, plan, uninstall
from engine.pretrains.installations import Installation, recognise
from engine.pretrains.plain import TensorFile
from engine.pretrains.store import Stored

NAMES = ["D_anna-40k.pth", "G_anna-40k.pth"]


@pytest.fixture
def rvc(tmp_path: Path) -> Installation:
    return recognise(make_rvc(tmp_path / "rvc"))


def names_in(where: Installation) -> list[str]:
    return sorted(path.name for path in where.folder.iterdir())


@pytest.mark.parametrize("folder", [OLD_FOLDER, NEW_FOLDER, RVC_FOLDER])
def test_the_authors_files_get_the_catalogues_name(tmp_path: Path, folder: str) -> None:
    make = make_rvc if folder == RVC_FOLDER else lambda root: make_applio(root, folder)
    anna, bert = keep("Anna"), keep("Bert", seed=5)
    root = make(tmp_path / "tool")
    told: list[tuple[int, int]] = []
    for kept in (anna, bert):
        wanted = plan(kept, recognise(root))
        paths = install(wanted, progress=lambda *amounts: told.append(amounts))
        for path, role, original in zip(paths, "GD", kept.files, strict=True):
            assert path == root / folder / f"{role}_{kept.entry.slug}.pth"
            assert path.read_bytes() == (kept.folder / original.path).read_bytes()
        assert told[-1] == (wanted.size, wanted.size)
        assert wanted.warnings == ()
    again = plan(anna, recognise(root))
    assert (again.missing, again.size, install(again)) == ((), 0, ())


def test_the_next_steps_name_the_files_as_each_tool_wants_them(tmp_path: Path) -> None:
    anna = keep("Anna")
    steps = plan(anna, recognise(make_rvc(tmp_path / "rvc"))).next_steps
    assert "40k and version v2" in steps[0]
    assert steps[1].endswith("G: assets/pretrained_v2/G_anna-40k.pth")
    assert steps[2].endswith("D: assets/pretrained_v2/D_anna-40k.pth")
    steps = plan(anna, recognise(make_applio(tmp_path / "applio"))).next_steps
    assert "Custom Pretrained" in steps[0]
    assert "G_anna-40k.pth as Custom Pretrained G" in steps[-1]


@pytest.mark.parametrize(
    ("made", "applio", "rvc"),
    [
        ({"rate": 24000}, "for 24k; Applio offers", "for 24k; RVC offers"),
        ({"version": "v1"}, "do not train", "choose v1"),
        ({"pitch": False}, "cannot load it", "pitch guidance with no"),
        ({"speakers": 3}, "", "3 speakers; RVC loads pretrains with 109 only"),
        ({"vocoder": "RefineGAN"}, "RefineGAN: choose it", "RefineGAN, which RVC does not have"),
        ({"entry": {"embedder": "spin"}}, "embedder spin: choose", "embedder spin, and RVC has"),
        ({"problems": ("it holds NaN",)}, "it holds NaN", "it holds NaN"),
    ],
)
def test_what_does_not_suit_a_tool_is_said(
    tmp_path: Path, made: dict[str, Any], applio: str, rvc: str
) -> None:
    kept = keep(file_names=PLAIN, **made)
    for text, root in (
        (applio, make_applio(tmp_path / "applio")),
        (rvc, make_rvc(tmp_path / "rvc")),
    ):
        warnings = plan(kept, recognise(root)).warnings
        assert len(warnings) == bool(text)
        assert text in "".join(warnings)


def test_a_different_file_of_the_same_name_stays(rvc: Installation) -> None:
    anna = keep()
    theirs = rvc.folder / NAMES[0]
    for make in (lambda: theirs.write_bytes(b"mine"), lambda: theirs.symlink_to("nowhere")):
        make()
        with pytest.raises(RefusedError, match=rf"{NAMES[0]} .* different file"):
            plan(anna, rvc)
        assert names_in(rvc) == [NAMES[0]]
        theirs.unlink()


def test_a_file_that_came_between_plan_and_copy_stays(rvc: Installation) -> None:
    wanted = plan(keep(), rvc)
    theirs = rvc.folder / NAMES[0]
    theirs.write_bytes(b"mine")
    with pytest.raises(RefusedError, match="different file"):
        install(wanted)
    assert names_in(rvc) == [NAMES[0]]
    assert theirs.read_bytes() == b"mine"
    assert installed.read() == {}


def test_the_same_file_put_there_by_hand_is_left_alone(rvc: Installation) -> None:
    anna = keep()
    shutil.copy(anna.folder / anna.files[0].path, rvc.folder / NAMES[1])
    wanted = plan(anna, rvc)
    assert [each.role for each in wanted.missing] == ["D"]
    assert install(wanted) == (rvc.folder / NAMES[0],)
    assert uninstall("anna-40k", rvc) == (rvc.folder / NAMES[0],)
    assert names_in(rvc) == [NAMES[1]]


def test_undo_removes_what_was_put_there_and_nothing_else(rvc: Installation) -> None:
    (rvc.folder / "f0G40k.pth").write_bytes(b"theirs")
    anna = keep()
    install(plan(anna, rvc))
    shutil.rmtree(anna.folder)
    assert sorted(path.name for path in uninstall("anna-40k", rvc)) == NAMES
    assert names_in(rvc) == ["f0G40k.pth"]
    assert installed.read() == {}
    with pytest.raises(InputError, match="installed no anna-40k"):
        uninstall("anna-40k", rvc)


def test_undo_leaves_a_file_that_has_changed(rvc: Installation) -> None:
    anna = keep()
    install(plan(anna, rvc))
    (rvc.folder / NAMES[0]).write_bytes(b"trained further")
    with pytest.raises(RefusedError, match=rf"{NAMES[0]} has changed"):
        uninstall("anna-40k", rvc)
    assert names_in(rvc) == NAMES
    (rvc.folder / NAMES[0]).unlink()
    (rvc.folder / NAMES[1]).rename(rvc.root / "moved.pth")
    (rvc.folder / NAMES[1]).symlink_to(rvc.root / "moved.pth")
    with pytest.raises(RefusedError, match=rf"{NAMES[1]} has changed"):
        uninstall("anna-40k", rvc)
    assert [each.role for each in plan(anna, rvc).missing] == ["D"]
    (rvc.root / "moved.pth").replace(rvc.folder / NAMES[1])
    assert uninstall("anna-40k", rvc) == (rvc.folder / NAMES[1],)


def test_undo_leaves_a_file_of_that_name_that_is_not_ours(rvc: Installation) -> None:
    (rvc.folder / NAMES[1]).write_bytes(b"mine")
    with pytest.raises(InputError, match="did not put there"):
        uninstall("anna-40k", rvc)
    assert names_in(rvc) == [NAMES[1]]


def test_the_same_place_by_a_link_is_the_same_place(rvc: Installation, tmp_path: Path) -> None:
    install(plan(keep(), rvc))
    (tmp_path / "link").symlink_to(rvc.root)
    assert len(uninstall("anna-40k", recognise(tmp_path / "link"))) == 2
    assert names_in(rvc) == []


def test_one_killed_in_mid_copy_leaves_no_half_file(
    rvc: Installation, fork: Callable[..., Any]
) -> None:
    wanted = plan(keep(), rvc)
    looks = 0

    def die_while_the_second_is_copied() -> None:
        nonlocal looks
        looks += 1
        if names_in(rvc).count(NAMES[1]) and looks > 2:
            os.kill(os.getpid(), signal.SIGKILL)

    child = fork(lambda: install(wanted, check=die_while_the_second_is_copied))
    assert child.wait() == -signal.SIGKILL
    left, *others = names_in(rvc)
    assert left.startswith(".tmp-")
    assert others == [NAMES[1]]
    assert len(install(plan(keep_again(), rvc))) == 1
    assert names_in(rvc) == NAMES
    assert len(uninstall("anna-40k", rvc)) == 2


def keep_again() -> Stored:
    return store.load(store.folder_of(Entry("Anna", 40000)))


def test_one_that_is_stopped_takes_back_the_first_file(rvc: Installation) -> None:
    def stop_at_the_second() -> None:
        if NAMES[1] in names_in(rvc):
            raise StopRequested("SIGINT")

    with pytest.raises(StopRequested):
        install(plan(keep(), rvc), check=stop_at_the_second)
    assert names_in(rvc) == []
    assert installed.read() == {}


def test_a_full_disk_is_told_and_leaves_nothing(
    rvc: Installation, fork: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = plan(keep(), rvc)

    def with_a_small_disk() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        with pytest.raises(DiskFullError, match=NAMES[1]):
            install(wanted)

    assert fork(with_a_small_disk).wait() == 0
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr("engine.files.shutil.disk_usage", lambda path: usage)
    with pytest.raises(DiskFullError, match="Installing Anna needs"):
        install(wanted)
    assert names_in(rvc) == []


def test_a_folder_without_the_right_to_write_is_named(rvc: Installation) -> None:
    anna = keep()
    rvc.folder.chmod(0o500)
    with as_a_user(), pytest.raises(FailedError, match=rf"{RVC_FOLDER} cannot be written to"):
        install(plan(anna, rvc))
    rvc.folder.chmod(0o700)
    install(plan(anna, rvc))
    rvc.folder.chmod(0o500)
    with as_a_user(), pytest.raises(FailedError, match=rf"{RVC_FOLDER} cannot be written to"):
        uninstall("anna-40k", rvc)
    assert names_in(rvc) == NAMES
    assert len(installed.read()) == 2


def test_a_stored_file_that_has_changed_is_not_installed(rvc: Installation) -> None:
    anna = keep()
    path = anna.folder / anna.files[1].path
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DamagedError, match="has changed since it was stored"):
        install(plan(anna, rvc))
    assert names_in(rvc) == []


def test_plain_tensors_are_written_as_the_tools_load_them(rvc: Installation) -> None:
    anna = keep(file_names=("G_2333333.pth", PLAIN[1]))
    wanted = plan(anna, rvc)
    assert [each.as_it_came for each in wanted.placements] == [True, False]
    told: list[tuple[int, int]] = []
    install(wanted, progress=lambda *amounts: told.append(amounts))
    assert told[-1] == (wanted.size, wanted.size)
    for role in ("G", "D"):
        content = weights.load(rvc.folder / f"{role}_anna-40k.pth")
        assert list(content) == ["model"]
        state = tensors_of(anna, role)
        assert content["model"].keys() == state.keys()
        assert all(torch.equal(content["model"][name], state[name]) for name in state)
    assert plan(anna, rvc).missing == ()
    assert len(uninstall("anna-40k", rvc)) == 2


@pytest.mark.parametrize(
    ("how", "loads"),
    [
        ({}, True),
        ({"wrapped": False}, False),
        ({"old_format": True}, False),
        ({"new_weight_norm": True}, False),
    ],
)
def test_what_the_tools_would_not_load_is_written_anew(how: dict[str, Any], loads: bool) -> None:
    anna = keep(**how)
    for role in ("G", "D"):
        names = TensorFile(anna.tensors_of(role)).specs
        assert pth.loads_there(anna.folder / anna.file(role).path, names) is loads


def test_files_that_are_no_archives_are_never_taken_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    for content in (b"", b"PK\x03\x04" + bytes(40), b"model" * 100):
        path.write_bytes(content)
        assert not pth.loads_there(path, [])
    assert not pth.loads_there(tmp_path / "none", [])


def test_xtts_bases_and_half_pairs_are_not_installed(rvc: Installation, tmp_path: Path) -> None:
    base = Entry("xtts-v2.0.3", 24000, "xtts")
    with pytest.raises(InputError, match=r"RVC trains RVC voices.* use xtts-v2\.0\.3 DIR"):
        plan(Stored(tmp_path, base, "fetched", "", store.now(), ()), rvc)
    anna = keep()
    half = Stored(anna.folder, anna.entry, "fetched", "", anna.since, anna.files[:1])
    with pytest.raises(InputError, match="no D file"):
        plan(half, rvc)


def test_one_at_a_time_and_a_damaged_record_is_named(rvc: Installation) -> None:
    wanted = plan(keep(), rvc)
    with installed.alone(), pytest.raises(BusyError, match="Another voicetui installs"):
        install(wanted)
    path = places.state_dir() / "installed.json"
    for text in ("{", "[]", json.dumps({"files": [{"path": 3}]})):
        path.write_text(text)
        with pytest.raises(DamagedError, match=r"installed\.json is damaged"):
            plan(keep_again(), rvc)
