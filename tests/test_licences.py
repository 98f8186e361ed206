from __future__ import annotations

import json

import pytest

from engine import licences, places
from engine.errors import DamagedError, LicenceError


def test_a_licence_is_asked_for_until_it_is_accepted() -> None:
    with pytest.raises(
        LicenceError, match=r"Some Licence 1\.0.*https://l\.example.*--accept-licence"
    ):
        licences.require("model", "Some Licence 1.0", "https://l.example", accept=False)
    assert not (places.state_dir() / "licences.json").exists()
    licences.require("model", "Some Licence 1.0", "https://l.example", accept=True)
    licences.require("model", "Some Licence 1.0", "https://l.example", accept=False)
    entry = json.loads((places.state_dir() / "licences.json").read_text())["model"]
    assert entry["licence"] == "Some Licence 1.0"
    assert entry["url"] == "https://l.example"
    assert entry["accepted"].startswith("2")


def test_acceptance_is_of_one_model_and_one_licence() -> None:
    licences.require("one", "A", "u", accept=True)
    licences.require("two", "A", "u", accept=True)
    assert licences.is_accepted("one", "A")
    assert licences.is_accepted("two", "A")
    assert not licences.is_accepted("three", "A")
    with pytest.raises(LicenceError):
        licences.require("one", "B", "u", accept=False)


@pytest.mark.parametrize("content", ["", "[]", '{"one": 3}', "{"])
def test_a_damaged_record_is_named_and_kept(content: str) -> None:
    path = places.state_dir() / "licences.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(DamagedError, match=r"licences\.json"):
        licences.require("one", "A", "u", accept=True)
    assert path.read_text() == content
