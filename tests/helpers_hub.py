"""What the tests of `engine.hub` share: a repository on the small hub, and a patient client."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

from engine.fetching.transfer import Policy
from engine.hub import FetchedFile, RemoteFile, fetch

REPO = "someone/voices"
TOKEN = "hf_canary7f3e"
QUICK = Policy(attempts=3, pause=0.005, worth=1 << 16, timeout=2.0)
LARGE = random.Random(5).randbytes(3_000_000)
SMALL = b'{"a": 1}\n' * 20


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def get(target: Path, name: str = "model.pth", **options: Any) -> FetchedFile:
    pins = {key: options.pop(key) for key in ("size", "sha256", "revision") if key in options}
    file = RemoteFile(REPO, pins.pop("revision", "main"), name, **pins)
    return fetch(file, target, **({"policy": QUICK} | options))


def only(target: Path) -> bool:
    return [path.name for path in target.parent.iterdir()] == [target.name]


def nothing(target: Path) -> bool:
    return not target.parent.exists() or not list(target.parent.iterdir())
