from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine import requests
from engine.requests import FOLDER, VERBS, Request


@pytest.mark.parametrize("verb", VERBS)
def test_a_request_is_taken_once_with_its_id(tmp_path: Path, verb: requests.Verb) -> None:
    identifier = requests.post(tmp_path, verb, text="Grüße", checkpoint="best", step=4)
    (request,) = requests.take(tmp_path)
    assert request == Request(identifier, verb, {"text": "Grüße", "checkpoint": "best", "step": 4})
    assert requests.take(tmp_path) == []
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_requests_come_oldest_first(tmp_path: Path) -> None:
    identifiers = [requests.post(tmp_path, "save") for _ in range(6)]
    for age, identifier in enumerate(identifiers):
        os.utime(tmp_path / FOLDER / f"{identifier}.json", (1000 - age, 1000 - age))
    assert [request.id for request in requests.take(tmp_path)] == identifiers[::-1]


def test_no_folder_means_no_requests(tmp_path: Path) -> None:
    assert requests.take(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'"stop"',
        b'{"verb": "stop"}',
        b'{"verb": "explode", "options": {}}',
        b'{"verb": ["stop"], "options": {}}',
        b'{"verb": "stop", "options": 5}',
        b'{"verb": "stop", "options": null}',
    ],
)
def test_a_file_that_is_no_request_is_removed_and_the_others_are_taken(
    tmp_path: Path, content: bytes
) -> None:
    identifier = requests.post(tmp_path, "save")
    bad = tmp_path / FOLDER / "0bad.json"
    bad.write_bytes(content)
    assert [request.id for request in requests.take(tmp_path)] == [identifier]
    assert not bad.exists()


def test_what_a_writer_has_not_finished_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / ".tmp-1").write_text(json.dumps({"verb": "stop", "options": {}}))
    (folder / "0folder.json").mkdir()
    assert requests.take(tmp_path) == []
    assert len(list(folder.iterdir())) == 2


def test_a_request_can_be_withdrawn_until_it_is_taken(tmp_path: Path) -> None:
    first, second = requests.post(tmp_path, "save"), requests.post(tmp_path, "stop")
    assert requests.withdraw(tmp_path, first)
    assert [request.id for request in requests.take(tmp_path)] == [second]
    assert not requests.withdraw(tmp_path, second)
