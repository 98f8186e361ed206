"""Fetching files from a model hub: by repository and revision, resumable, verified.

huggingface_hub knows the addresses and the token; the bytes are kept here, because it starts over
when its process has died. A file gets its name only after its size and its hash are checked: the
hash that the caller pinned, else the one that the hub states. `HF_ENDPOINT` names another hub,
`HF_TOKEN` an account's token, `HF_HUB_OFFLINE` forbids the network; all are read when called.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from engine.errors import DownloadError
from engine.fetching import assembly
from engine.fetching.download import Meter, Wanted, download, missing_bytes
from engine.fetching.transfer import BY_HAND, PATIENT, Policy, Transfer
from engine.files import require_space
from engine.text import clean

if TYPE_CHECKING:
    import httpx

Progress = Callable[[int, int], None]
Check = Callable[[], None]

_DEFAULT_ENDPOINT = "https://huggingface.co"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TRUE = ("1", "ON", "YES", "TRUE")


@dataclass(frozen=True)
class RemoteFile:
    """A file in a repository. `size` 0 and `sha256` "" mean that they are not known beforehand."""

    repository: str
    revision: str
    path: str
    size: int = 0
    sha256: str = ""

    def __str__(self) -> str:
        return clean(f"{self.repository}/{self.path} ({self.revision})")


@dataclass(frozen=True)
class FetchedFile:
    """A file that arrived whole. `size` is in bytes, `commit` what its revision meant."""

    path: Path
    size: int
    sha256: str
    commit: str


def ignore_progress(_done: int, _total: int) -> None:
    """For callers that show nothing."""


def never_stop() -> None:
    """For callers that cannot be stopped."""


def fetch(
    file: RemoteFile,
    target: Path,
    *,
    progress: Progress = ignore_progress,
    check: Check = never_stop,
    policy: Policy = PATIENT,
) -> FetchedFile:
    """Fetch one file to `target`, replacing what is there.

    `progress` gets bytes done and bytes in all; `check` is called for every piece and may raise
    StopRequested. Whatever interrupts it, the bytes that came stay in `<target>.part` and the next
    call asks for the rest only. Raises DownloadError, DiskFullError, BusyError.
    """
    with _connect(policy, check) as hub:
        found = _resolve(hub, file)
        require_space(target.parent, missing_bytes(found.wanted, target), f"Fetching {file}")
        meter = Meter(progress, found.size)
        size, sha256 = download(hub, found.wanted, target, meter)
        meter.close_file(size)
        return FetchedFile(target, size, sha256, found.commit)


def fetch_folder(
    files: Sequence[RemoteFile],
    folder: Path,
    *,
    progress: Progress = ignore_progress,
    check: Check = never_stop,
    policy: Policy = PATIENT,
) -> Path:
    """Fetch files into a new folder that gets its name when all are there; see `fetch`.

    A folder that holds them already is left alone, without a look at the network. Files of one
    revision always come from one commit. Raises RefusedError when something else is at its place.
    """
    there = assembly.whole(folder)
    if there and all(_is_same(file, there.get(file.path)) for file in files):
        return folder
    with assembly.assemble(folder) as parts:
        fill(parts, files, progress=progress, check=check, policy=policy)
        parts.commit([file.path for file in files])
    return folder


def fill(
    parts: assembly.Assembly,
    files: Sequence[RemoteFile],
    *,
    spare: int = 0,
    progress: Progress = ignore_progress,
    check: Check = never_stop,
    policy: Policy = PATIENT,
) -> tuple[FetchedFile, ...]:
    """Fetch files into an unfinished folder, but for those that are verified in it already.

    `spare` is how many bytes the caller is going to write beside them; they must fit too. Files of
    one revision always come from one commit. Raises as `fetch`.
    """
    with _connect(policy, check) as hub:
        found = _resolve_all(hub, files)
        paths = [parts.path_of(one.file.path) for one in found]
        here = [parts.has(one.file.path, one.commit, one.wanted.sha256) for one in found]
        work = list(zip(found, paths, here, strict=True))
        missing = sum(missing_bytes(one.wanted, path) for one, path, done in work if not done)
        require_space(parts.place.parent, missing + spare, f"Fetching {clean(parts.place.name)}")
        meter = Meter(progress, sum(one.size for one in found))
        fetched = []
        for one, path, done in work:
            if not done:
                size, sha256 = download(hub, one.wanted, path, meter)
                parts.add(one.file.path, one.entry(size, sha256))
            entry = parts.entry(one.file.path)
            fetched.append(FetchedFile(path, entry.size, entry.sha256, one.commit))
            meter.close_file(one.size)
    return tuple(fetched)


def list_files(
    repository: str,
    revision: str = "main",
    *,
    check: Check = never_stop,
    policy: Policy = PATIENT,
) -> tuple[RemoteFile, ...]:
    """The files of a repository, pinned to the commit that the revision means now.

    Names are the hub's: join them to a folder only with `engine.files.safe_join`. Raises
    DownloadError.
    """
    what = clean(f"{repository} ({revision})")
    url = f"{_endpoint()}/api/models/{quote(repository)}/revision/{quote(revision, safe='')}"

    def ask() -> Any:
        with hub.request("GET", f"{url}?blobs=true", what) as response:
            return json.loads(response.read())

    try:
        with _connect(policy, check) as hub:
            document = hub.persist(ask)
        return tuple(
            RemoteFile(
                repository,
                _text(document["sha"]),
                _text(entry["rfilename"]),
                int(entry.get("size") or 0),
                str((entry.get("lfs") or {}).get("sha256", "")),
            )
            for entry in document["siblings"]
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DownloadError(f"{what}: the hub's list of files cannot be read. {BY_HAND}") from error


def _text(value: object) -> str:
    """A text of a listing. Raises ValueError for half characters, which no address can hold."""
    text = str(value)
    text.encode()
    return text


def look_up(file: RemoteFile, *, check: Check = never_stop, policy: Policy = PATIENT) -> str:
    """Ask the hub about a file without fetching it; returns the hub's name. Raises DownloadError."""
    with _connect(policy, check) as hub:
        _resolve(hub, file)
        return hub.host


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids the network."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in _TRUE


@dataclass(frozen=True)
class _Found:
    """A file as the hub has it now."""

    file: RemoteFile
    commit: str
    wanted: Wanted

    @property
    def size(self) -> int:
        return self.wanted.size or 0

    def entry(self, size: int, sha256: str) -> assembly.Entry:
        return assembly.Entry(self.file.repository, self.file.revision, self.commit, size, sha256)


def _is_same(file: RemoteFile, entry: assembly.Entry | None) -> bool:
    return (
        entry is not None
        and entry.repository == file.repository
        and file.sha256 in ("", entry.sha256)
    )


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or _DEFAULT_ENDPOINT).rstrip("/")


@contextlib.contextmanager
def _connect(policy: Policy, check: Check) -> Iterator[Transfer]:
    if is_offline():
        raise DownloadError(
            "HF_HUB_OFFLINE forbids the network, and this is not on this machine yet. Unset it, or "
            "import files that were copied by hand."
        )
    from huggingface_hub import constants, get_token

    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    with contextlib.closing(Transfer(_endpoint(), token, policy, check)) as hub:
        yield hub


def _url(file: RemoteFile, revision: str) -> str:
    from huggingface_hub import hf_hub_url

    return hf_hub_url(file.repository, file.path, revision=revision, endpoint=_endpoint())


def _resolve_all(hub: Transfer, files: Sequence[RemoteFile]) -> list[_Found]:
    """Resolve files; a revision that moves meanwhile means for all of them what it meant first."""
    commits: dict[tuple[str, str], str] = {}
    resolved = []
    for file in files:
        revision = (file.repository, file.revision)
        found = _resolve(hub, replace(file, revision=commits.get(revision) or file.revision))
        commits.setdefault(revision, found.commit)
        resolved.append(replace(found, file=file))
    return resolved


def _resolve(hub: Transfer, file: RemoteFile) -> _Found:
    """Ask the hub what the file is. Raises DownloadError when it is not the one that was pinned."""

    def is_described(response: httpx.Response) -> bool:
        # The hub describes a large file itself, and sends its bytes from elsewhere.
        return "X-Linked-Size" in response.headers and "X-Linked-Etag" in response.headers

    def ask() -> _Found:
        url = _url(file, file.revision)
        with hub.request("HEAD", url, str(file), stop_at=is_described) as answer:
            return _describe(file, answer)

    found = hub.persist(ask)
    wrong = ""
    if _COMMIT.fullmatch(file.revision) and found.commit != file.revision:
        wrong = f"commit {clean(found.commit)}"
    elif file.size and found.size and found.size != file.size:
        wrong = f"a file of {found.size} bytes, expected {file.size}"
    if wrong:
        raise DownloadError(f"{file}: {hub.host} has {wrong}. It was not fetched. {BY_HAND}")
    return found


def _describe(file: RemoteFile, answer: httpx.Response) -> _Found:
    headers = answer.headers
    tag = headers.get("X-Linked-Etag") or headers.get("ETag", "")
    bare = tag.removeprefix("W/").strip('"').lower()
    length = headers.get("X-Linked-Size", "")
    if not length and not answer.has_redirect_location and "Content-Encoding" not in headers:
        length = headers.get("Content-Length", "")
    size = int(length) if length.isdecimal() else (file.size or None)
    stated = headers.get("X-Repo-Commit", "")
    commit = next((text for text in (stated, file.revision) if _COMMIT.fullmatch(text)), "")
    # The entity tag of a large file is its SHA-256, that of a small one the id that git gave it.
    sha256 = bare if _SHA256.fullmatch(bare) else ""
    git_id = bare if stated and _COMMIT.fullmatch(bare) else ""
    if file.sha256 and sha256 not in ("", file.sha256):
        raise DownloadError(
            f"{file} is not the file that was expected: its SHA-256 is {sha256}, expected "
            f"{file.sha256}. It was not fetched. {BY_HAND}"
        )
    own = tag.startswith('"') and "X-Linked-Etag" not in headers
    wanted = Wanted(
        name=str(file),
        url=_url(file, commit or file.revision),
        size=size,
        sha256=file.sha256 or sha256,
        git_id=git_id,
        validator=tag if own else "",
    )
    return _Found(file, commit, wanted)
