"""Whether the model hub can be reached."""

from __future__ import annotations

from collections.abc import Iterator

from engine import hub
from engine.checks.finding import Finding, Surroundings
from engine.errors import DownloadError
from engine.fetching.transfer import BY_HAND, Policy
from engine.text import clean
from engine.xtts import base

_ONE_QUICK_TRY = Policy(attempts=1, timeout=5.0)
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


def reachable(at: Surroundings) -> Iterator[Finding]:
    """Ask the hub for a small file that fetching a base needs, without taking it."""
    if hub.is_offline():
        yield Finding(
            "warning",
            "not asked: HF_HUB_OFFLINE forbids the network",
            "Models that are here can be used; 'unset HF_HUB_OFFLINE' lets others be fetched.",
        )
        return
    known = next(iter(base.known().values()))
    file = known.files[0]
    try:
        host = hub.look_up(
            hub.RemoteFile(known.repository, file.revision, file.path),
            check=at.check,
            policy=_ONE_QUICK_TRY,
        )
    except DownloadError as error:
        yield Finding(
            "warning",
            clean(str(error).removesuffix(BY_HAND).strip()),
            "What is on this machine works without it. Check the network and the proxy, or name "
            "a mirror: 'export HF_ENDPOINT=https://…'.",
        )
        return
    yield Finding("ok", f"{host} answers and has {known.name}")


def proxies(at: Surroundings) -> Iterator[Finding]:
    """Which proxy variables are set; their values can hold passwords and are not shown."""
    named = [name for name in _PROXIES for form in (name, name.lower()) if at.environment.get(form)]
    yield Finding("ok", f"set by {', '.join(dict.fromkeys(named))}" if named else "none is set")


def token(at: Surroundings) -> Iterator[Finding]:
    """Whether a token of the hub is at hand; it is never shown."""
    from huggingface_hub import get_token

    if any(at.environment.get(name) for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")):
        yield Finding("ok", "HF_TOKEN is set (not shown)")
    elif get_token():
        yield Finding("ok", "one is stored by 'hf auth login' (not shown)")
    else:
        yield Finding("ok", "none; only models behind an account's terms need one")
