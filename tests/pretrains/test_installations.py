"""Applio and RVC are known by their files, wherever they are and whatever their folder is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers_rights import as_a_user
from helpers_tools import (
    NEW_FOLDER,
    OLD_FOLDER,
    OLDEST_FOLDER,
    RVC_FOLDER,
    make_applio,
    make_rvc,
)

from engine.errors import InputError
from engine.pretrains.installations import Installation, find, recognise

OLD_TAB = 'custom = os.path.join(now_dir, "rvc", "models", "pretraineds", "pretraineds_custom")'
NEW_TAB = (
    'pretraineds_custom_path = os.path.join(now_dir, "rvc", "models", "pretraineds", "custom")'
)


@pytest.mark.parametrize("folder", [NEW_FOLDER, OLD_FOLDER, OLDEST_FOLDER])
def test_applio_gets_them_where_its_version_has_its_folder(tmp_path: Path, folder: str) -> None:
    root = make_applio(tmp_path / "RVC", folder)
    assert recognise(root) == Installation("applio", root, root / folder)


@pytest.mark.parametrize(
    ("there", "code", "folder"),
    [
        ((NEW_FOLDER, OLD_FOLDER), NEW_TAB, NEW_FOLDER),
        ((NEW_FOLDER, OLD_FOLDER), OLD_TAB, OLD_FOLDER),
        ((NEW_FOLDER, OLD_FOLDER), "", NEW_FOLDER),
        ((), OLD_TAB, OLD_FOLDER),
        ((), NEW_TAB, NEW_FOLDER),
        ((OLD_FOLDER, OLDEST_FOLDER), OLD_TAB, OLD_FOLDER),
    ],
)
def test_with_both_or_no_folder_its_code_tells(
    tmp_path: Path, there: tuple[str, ...], code: str, folder: str
) -> None:
    root = make_applio(tmp_path / "tool", *there, code=code)
    assert recognise(root).folder == root / folder


@pytest.mark.parametrize("start", ["infer-web.py", "webui.py"])
def test_rvc_by_what_starts_it(tmp_path: Path, start: str) -> None:
    root = make_rvc(tmp_path / "Applio", start=start)
    assert recognise(root) == Installation("rvc", root, root / RVC_FOLDER)


def test_a_folder_inside_or_above_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_applio(tmp_path / "tools" / "a", NEW_FOLDER)
    for given in (root / NEW_FOLDER, root / "rvc" / "train", tmp_path / "tools", tmp_path):
        assert recognise(given).root == root
    monkeypatch.chdir(root / NEW_FOLDER)
    assert recognise(Path()).root == root
    monkeypatch.chdir(tmp_path)
    assert recognise(Path("tools")).root == root


def test_of_two_below_one_must_be_named(tmp_path: Path) -> None:
    first, second = make_applio(tmp_path / "a"), make_rvc(tmp_path / "b")
    with pytest.raises(InputError, match=f"2 installations: {first}, {second}"):
        recognise(tmp_path)


@pytest.mark.parametrize("missing", ["app.py", "core.py", "infer-web.py"])
def test_what_is_neither_is_told_by_the_files_that_were_looked_for(
    tmp_path: Path, missing: str
) -> None:
    root = make_applio(tmp_path / "t") if missing != "infer-web.py" else make_rvc(tmp_path / "t")
    (root / missing).unlink()
    with pytest.raises(InputError) as told:
        recognise(root)
    for name in ("app.py", "core.py", "rvc/", "infer-web.py", "webui.py", "assets/", "configs/"):
        assert name in str(told.value)
    with pytest.raises(InputError, match="There is no folder"):
        recognise(tmp_path / "nowhere")


def test_the_search_goes_two_levels_down_and_ends(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here, in_home = make_rvc(tmp_path / "x" / "rvc"), make_applio(home / "Applio")
    make_rvc(tmp_path / "x" / "y" / "too-deep")
    make_rvc(tmp_path / ".hidden")
    make_rvc(tmp_path / "node_modules" / "rvc")
    assert [each.root for each in find((tmp_path, home, tmp_path))] == [in_home, here]
    assert {here, in_home} <= {each.root for each in find()}
    assert find((tmp_path, home), seconds=-1) == ()


def test_the_search_follows_no_links_and_passes_over_what_it_may_not_read(tmp_path: Path) -> None:
    outside = make_rvc(tmp_path / "outside" / "rvc")
    searched = tmp_path / "searched"
    searched.mkdir()
    (searched / "link").symlink_to(outside)
    (searched / "circle").symlink_to(searched)
    make_rvc(searched / "locked" / "rvc")
    (searched / "locked").chmod(0)
    seen = make_applio(searched / "open" / "applio")
    with as_a_user():
        assert [each.root for each in find((searched,))] == [seen]
    (searched / "locked").chmod(0o700)
