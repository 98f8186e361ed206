"""A small public document from an address that a person gave. No token is ever sent there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.errors import DownloadError, InputError
from engine.fetching.transfer import BY_HAND, PATIENT, Policy, Transfer
from engine.text import clean

if TYPE_CHECKING:
    import httpx

_THIS_MACHINE = {"localhost", "127.0.0.1", "::1"}
_REMEDY = "Try again, or save the document in another way and give the file."


def read(
    url: str,
    *,
    most: int,
    seconds: float = 60.0,
    check: Callable[[], None] = lambda: None,
    policy: Policy = PATIENT,
) -> bytes:
    """The document at an https:// address (http:// too on this machine), at most `most` bytes.

    `seconds` is how long its bytes may take to come in. Raises InputError for an address that is
    not used, DownloadError.
    """
    import httpx

    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        address = httpx.URL("")
    if not _is_safe(address) or address.userinfo:
        raise InputError(
            f"{clean(url)} is not used: give an address that begins with https:// and holds no "
            "password, or save the document and give the file."
        )
    origin = str(address.copy_with(raw_path=b"/", fragment=None))
    with contextlib.closing(Transfer(origin, None, policy, check)) as server:
        what = clean(url)

        def ask() -> bytes:
            with server.request("GET", url, what, stop_at=_leads_astray) as answer:
                if answer.has_redirect_location:
                    raise DownloadError(
                        f"{what}: {server.host} redirects to a connection that is not encrypted; "
                        "it was not used."
                    )
                return _body(answer, what, most, time.monotonic() + seconds, check)

        try:
            return server.persist(ask)
        except DownloadError as error:
            # Mirrors and imports are for the hub's files.
            raise DownloadError(str(error).replace(BY_HAND, _REMEDY)) from error


def _is_safe(address: httpx.URL) -> bool:
    if address.scheme == "http":
        return address.host in _THIS_MACHINE
    return address.scheme == "https" and bool(address.host)


def _leads_astray(answer: httpx.Response) -> bool:
    return not _is_safe(answer.url.join(answer.headers["Location"]))


def _body(
    answer: httpx.Response, what: str, most: int, end: float, check: Callable[[], None]
) -> bytes:
    body = bytearray()
    for piece in answer.iter_bytes(1 << 16):
        check()
        body += piece
        if len(body) > most:
            raise DownloadError(
                f"{what} is larger than {most / 1e6:g} MB: it cannot be what is asked for. Look at "
                "the address."
            )
        if time.monotonic() > end:
            raise DownloadError(f"{what} comes too slowly. {_REMEDY}")
    return bytes(body)
