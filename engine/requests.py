"""How another process asks a running job for something: one small file a request.

`requests/<id>.json` is written whole by a rename; the job polls the folder, removes what it took,
and answers with a `request_done` event of the same id.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from engine.files import write_json

Verb = Literal["stop", "save", "pause", "resume", "speak", "export"]
VERBS: tuple[str, ...] = get_args(Verb)
FOLDER = "requests"


@dataclass(frozen=True)
class Request:
    id: str
    verb: Verb
    options: dict[str, Any] = field(default_factory=dict)


def post(job_folder: Path, verb: Verb, **options: Any) -> str:
    """Ask the job for something. Returns the id that its answer will carry."""
    identifier = uuid.uuid4().hex[:12]
    write_json(job_folder / FOLDER / f"{identifier}.json", {"verb": verb, "options": options})
    return identifier


def withdraw(job_folder: Path, identifier: str) -> bool:
    """Take a request back. False when the job has taken it already."""
    try:
        (job_folder / FOLDER / f"{identifier}.json").unlink()
    except FileNotFoundError:
        return False
    return True


def take(job_folder: Path) -> list[Request]:
    """Take what was asked since the last call, oldest first. Unreadable files are removed."""
    folder = job_folder / FOLDER
    if not folder.is_dir():
        return []
    found: list[tuple[int, Request]] = []
    for path in folder.glob("[0-9a-f]*.json"):
        if not path.is_file():
            continue
        try:
            asked_at = path.stat().st_mtime_ns
            content = json.loads(path.read_bytes())
            if content["verb"] in VERBS:
                found.append(
                    (asked_at, Request(path.stem, content["verb"], dict(content["options"])))
                )
        except (OSError, ValueError, KeyError, TypeError):
            pass
        path.unlink(missing_ok=True)
    return [request for _, request in sorted(found, key=lambda item: item[0])]
