"""The bytes of one file: ask for what is missing, as often as it takes, and check them at the end."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import DownloadError
from engine.fetching import partial
from engine.fetching.transfer import BY_HAND, TemporaryError, Transfer
from engine.files import sha256_file

if TYPE_CHECKING:
    import httpx

_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class Wanted:
    """A file at `url`, called `name` in messages, and what is known about its bytes.

    `size` is None and the texts are "" where nothing is known. `git_id` is that of a file kept in
    git itself; `validator` an entity tag that the hub's own host compares ranges with.
    """

    name: str
    url: str
    size: int | None
    sha256: str
    git_id: str
    validator: str

    def __post_init__(self) -> None:
        if self.size is None and not self.content:
            raise DownloadError(
                f"{self.name}: neither its size nor its hash is known, so it cannot be checked. "
                f"It was not fetched. {BY_HAND}"
            )

    @property
    def content(self) -> str:
        """What names these very bytes."""
        return self.sha256 or self.git_id or self.validator


class Meter:
    """Tells how many bytes of all files are there, not more than ten times a second."""

    def __init__(self, progress: Callable[[int, int], None], total: int) -> None:
        self._progress = progress
        self._total = total
        self._closed = 0
        self._told = 0.0

    def show(self, done: int) -> None:
        """`done` bytes of the present file."""
        now = time.monotonic()
        if now - self._told >= _PROGRESS_SECONDS:
            self._told = now
            self._progress(self._closed + done, self._total)

    def counter(self, check: Callable[[], None]) -> Callable[[int], None]:
        """A callback for the bytes of each piece of the present file, which also calls `check`."""
        done = 0

        def count(size: int) -> None:
            nonlocal done
            done += size
            self.show(done)
            check()

        return count

    def close_file(self, size: int) -> None:
        """The present file is whole."""
        self._closed += size
        self._progress(self._closed, self._total)


def missing_bytes(wanted: Wanted, target: Path) -> int:
    """How many bytes would have to come, as far as that is known."""
    part = partial.path_of(target)
    return max(0, (wanted.size or 0) - (part.stat().st_size if part.exists() else 0))


def download(hub: Transfer, wanted: Wanted, target: Path, meter: Meter) -> tuple[int, str]:
    """Bring a file to `target`. Returns its size in bytes and its SHA-256.

    Raises DownloadError; after one that another call may mend, the bytes that came are kept.
    """
    with partial.hold(target) as part:
        part.begin(wanted.content, wanted.size)
        while True:
            kept = part.length
            _fill(hub, wanted, part, meter)
            sha256, problem = _verify(wanted, part, hub.check)
            if not problem:
                break
            if not kept:
                part.discard()
                raise DownloadError(f"{wanted.name} {problem}. It was removed. {BY_HAND}")
            # A power cut may have torn the bytes of an earlier attempt: once more, from the start.
            part.restart()
        part.commit()
        return part.length, sha256


def _fill(hub: Transfer, wanted: Wanted, part: partial.Part, meter: Meter) -> None:
    try:
        hub.persist(lambda: _ask_for_rest(hub, wanted, part, meter), lambda: part.length)
    except TemporaryError as error:
        raise DownloadError(
            f"{error} The {part.length} bytes that arrived are kept; run the command again to go on."
        ) from error


def _ask_for_rest(hub: Transfer, wanted: Wanted, part: partial.Part, meter: Meter) -> None:
    """One request for the bytes that are missing. Raises TemporaryError when it brings only some."""
    if wanted.size is not None and part.length > wanted.size:
        part.restart()
    if part.length == wanted.size:
        return
    headers = {"Range": f"bytes={part.length}-"} if part.length else {}
    if part.length and wanted.validator:
        headers["If-Range"] = wanted.validator
    with hub.request("GET", wanted.url, wanted.name, headers) as answer:
        if answer.status_code == 200:
            part.restart()
        elif not _continues(answer, part.length, wanted.size):
            part.restart()
            raise TemporaryError(
                f"{wanted.name}: {hub.host} answers with other bytes than it was asked for. {BY_HAND}"
            )
        for piece in answer.iter_bytes():
            part.write(piece)
            meter.show(part.length)
            hub.check()
            if wanted.size is not None and part.length > wanted.size:
                return
    if wanted.size is not None and part.length < wanted.size:
        raise TemporaryError(
            f"{wanted.name}: {hub.host} ended after {part.length} of {wanted.size} bytes. {BY_HAND}"
        )


def _continues(answer: httpx.Response, start: int, size: int | None) -> bool:
    """Whether a partial answer holds the plain bytes from `start` to the end."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", answer.headers.get("Content-Range", ""))
    if answer.status_code != 206 or match is None or "Content-Encoding" in answer.headers:
        return False
    return int(match[1]) == start and (size is None or match[2] in ("*", str(size)))


def _verify(wanted: Wanted, part: partial.Part, check: Callable[[], None]) -> tuple[str, str]:
    """The SHA-256 of a finished part, and what is wrong with it, if anything."""
    if wanted.size is not None and part.length != wanted.size:
        return "", f"came with more than the {wanted.size} bytes that were expected"
    sha256 = sha256_file(part.path, lambda _: check())
    if wanted.sha256 and sha256 != wanted.sha256:
        return sha256, f"is damaged: its SHA-256 is {sha256}, expected {wanted.sha256}"
    if wanted.git_id and not wanted.sha256:
        git_id = _git_id(part)
        if git_id != wanted.git_id:
            return sha256, f"is damaged: its git id is {git_id}, expected {wanted.git_id}"
    return sha256, ""


def _git_id(part: partial.Part) -> str:
    """The id that git gives a file: SHA-1 of a header, a NUL and the content (Pro Git, 10.2)."""
    digest = hashlib.sha1(b"blob %d\0" % part.length, usedforsecurity=False)
    with part.path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: digest).hexdigest()
