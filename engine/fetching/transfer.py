"""Requests to one hub: its token, its redirects, its faults, and trying again.

A token goes to the hub's own scheme, host and port and nowhere else, whatever a redirect says.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from engine import __version__
from engine.errors import DownloadError
from engine.text import clean

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")
BY_HAND = (
    "Another mirror can be named with HF_ENDPOINT; files that were copied here by hand are taken "
    "with --from."
)
_MAX_REDIRECTS = 10
# Headers that tell the hub who asks, or that compare with an entity tag which only the hub gave.
_ONLY_TO_THE_HUB = ("Authorization", "If-Range")
_MAY_PASS = {408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524}
_PAUSE_SLICE = 0.1


class TemporaryError(DownloadError):
    """A fault that another attempt may not meet."""


@dataclass(frozen=True)
class Policy:
    """How patient a transfer is. Times are seconds.

    `attempts` counts failures in a row; one that brought `worth` bytes more than any before does
    not count. The pause before each next attempt doubles. `timeout` is that of connecting, and of
    silence in between.
    """

    attempts: int = 5
    pause: float = 0.5
    worth: int = 1 << 20
    timeout: float = 10.0


PATIENT = Policy()


class Transfer:
    """A connection to the hub at `endpoint` (a URL). `check` may raise StopRequested at any time."""

    def __init__(
        self, endpoint: str, token: str | None, policy: Policy, check: Callable[[], None]
    ) -> None:
        import httpx

        self.check = check
        self._policy = policy
        self._token = token
        self._endpoint = _address(endpoint)
        self.host = clean(self._endpoint.host)
        self._client = httpx.Client(
            follow_redirects=False,
            timeout=policy.timeout,
            headers={"User-Agent": f"voicetui/{__version__}", "Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        self._client.close()

    @contextlib.contextmanager
    def request(
        self,
        method: str,
        url: str,
        what: str,
        headers: Mapping[str, str] | None = None,
        *,
        stop_at: Callable[[httpx.Response], bool] = lambda _: False,
    ) -> Iterator[httpx.Response]:
        """The answer to a request, redirects followed until `stop_at`, its body still to be read.

        `what` names the thing asked for in messages. Raises TemporaryError for what may pass,
        DownloadError for what stays; faults while the body is read are turned into these too.
        """
        import httpx

        try:
            response = self._follow(method, url, dict(headers or {}), stop_at)
            with contextlib.closing(response):
                if not response.has_redirect_location:
                    self._accept(response, what)
                yield response
        except httpx.TransportError as error:
            reason = self._hide(str(error)) or type(error).__name__
            kind = DownloadError if isinstance(error, httpx.UnsupportedProtocol) else TemporaryError
            raise kind(f"{what}: no whole answer from {self.host} ({reason}). {BY_HAND}") from error
        except (httpx.DecodingError, httpx.InvalidURL) as error:
            reason = self._hide(str(error))
            raise DownloadError(
                f"{what}: {self.host} gave an answer that makes no sense ({reason}). {BY_HAND}"
            ) from error

    def persist(self, work: Callable[[], T], reached: Callable[[], int] = lambda: 0) -> T:
        """Do `work` until it succeeds or the policy's attempts are used up without `reached` rising.

        Raises what the last attempt raised.
        """
        best, failures = reached(), 0
        while True:
            try:
                return work()
            except TemporaryError:
                if reached() >= best + self._policy.worth:
                    best, failures = reached(), 0
                failures += 1
                if failures >= self._policy.attempts:
                    raise
            self._wait(self._policy.pause * 2 ** (failures - 1))

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.check()
            time.sleep(min(left, _PAUSE_SLICE))

    def _follow(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        stop_at: Callable[[httpx.Response], bool],
    ) -> httpx.Response:
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        import httpx

        target = httpx.URL(url)
        for _ in range(_MAX_REDIRECTS):
            at_home = _origin(target) == _origin(self._endpoint)
            sent = {k: v for k, v in headers.items() if at_home or k not in _ONLY_TO_THE_HUB}
            request = self._client.build_request(method, target, headers=sent)
            response = self._client.send(request, stream=True)
            if not response.has_redirect_location or stop_at(response):
                return response
            response.close()
            target = target.join(response.headers["Location"])
            if self._endpoint.scheme == "https" and target.scheme != "https":
                raise DownloadError(
                    f"{self.host} redirects to a connection that is not encrypted; it was not used."
                )
        raise DownloadError(f"{self.host} redirects in circles. {BY_HAND}")

    def _accept(self, response: httpx.Response, what: str) -> None:
        status = response.status_code
        # A range that cannot be served is for the caller to mend.
        if response.is_success or status == 416:
            return
        if status in _MAY_PASS:
            raise TemporaryError(
                f"{what}: {self.host} answers with status {status}. Try again later. {BY_HAND}"
            )
        code = response.headers.get("X-Error-Code", "")
        if status == 403 or code == "GatedRepo":
            raise DownloadError(
                f"{what}: {self.host} gives this only to accounts that accepted its terms. Accept "
                "them on its page there, and set HF_TOKEN to a token of that account."
            )
        if status == 401:
            token = "does not accept the token in use" if self._token else "asks for a token"
            raise DownloadError(
                f"{what}: {self.host} {token}, or there is no such repository. Set HF_TOKEN to a "
                "token that may read it."
            )
        if status == 404:
            missing = {
                "RepoNotFound": "repository",
                "RevisionNotFound": "revision",
                "EntryNotFound": "file",
            }.get(code, "file, revision or repository")
            raise DownloadError(f"{what}: there is no such {missing} at {self.host}. {BY_HAND}")
        raise DownloadError(f"{what}: {self.host} answers with status {status}. {BY_HAND}")

    def _hide(self, text: str) -> str:
        return clean(text.replace(self._token, "***") if self._token else text)


def _address(endpoint: str) -> httpx.URL:
    import httpx

    with contextlib.suppress(httpx.InvalidURL):
        address = httpx.URL(endpoint)
        if address.scheme in ("http", "https") and address.host:
            return address
    raise DownloadError("HF_ENDPOINT must be the address of a hub, like https://huggingface.co.")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
