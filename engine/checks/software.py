"""Checks of Python, the packages and whether they fit each other."""

from __future__ import annotations

import importlib.metadata
import locale
import platform
import re
import sys
from collections.abc import Iterator, Mapping

from engine.checks.attempt import attempt
from engine.checks.finding import Finding, Surroundings, TrialError
from engine.text import clean

_TRIAL_SECONDS = 120.0
# torchcodec's README: which torch each of its releases is made for. From 0.10 on its last number
# is torch's.
_TORCH_OF_TORCHCODEC = {
    "0.4": "2.7",
    "0.5": "2.7",
    "0.6": "2.8",
    "0.7": "2.8",
    "0.8": "2.9",
    "0.9": "2.9",
    "0.10": "2.10",
    "0.11": "2.11",
}
_INSTALL = "Run 'uv sync' in the clone, or 'pip install -c constraints.txt .' there."


def python(_at: Surroundings) -> Iterator[Finding]:
    """Python's version, and the encoding of file names."""
    seen = f"{platform.python_version()} ({platform.machine()})"
    wanted = importlib.metadata.metadata("voicetui")["Requires-Python"] or ""
    if not _is_allowed(sys.version_info[:2], wanted):
        yield Finding(
            "failure",
            f"{seen}, but voicetui needs {wanted}",
            "Make the environment with another Python: 'uv venv --python 3.12'.",
        )
    else:
        yield Finding("ok", seen)
    encoding = locale.getpreferredencoding(False)
    if encoding.lower().replace("-", "") == "utf8":
        yield Finding("ok", "UTF-8", name="locale")
    else:
        yield Finding(
            "warning",
            f"{clean(encoding)}: letters outside of it are shown as '?'",
            "Set a UTF-8 locale: 'export LANG=C.UTF-8'.",
            "locale",
        )


def _is_allowed(version: tuple[int, ...], wanted: str) -> bool:
    """Whether a version is in a range like ">=3.11,<3.14"."""
    for sign, major, minor in re.findall(r"(>=|<)(\d+)\.(\d+)", wanted):
        limit = (int(major), int(minor))
        if (version >= limit) != (sign == ">="):
            return False
    return True


def torch_family(_at: Surroundings) -> Iterator[Finding]:
    """Whether torch, torchaudio and torchcodec were made for each other."""
    versions = {name: _version(name) for name in ("torch", "torchaudio", "torchcodec")}
    missing = [name for name, version in versions.items() if not version]
    if missing:
        yield Finding("failure", f"not installed: {', '.join(missing)}", _INSTALL)
        return
    seen = ", ".join(f"{name} {clean(version)}" for name, version in versions.items())
    wrong = mismatches(versions)
    if wrong:
        yield Finding("failure", f"{seen}: {'; '.join(wrong)}", _INSTALL)
    else:
        yield Finding("ok", f"{seen}: they match")


def mismatches(versions: Mapping[str, str]) -> list[str]:
    """What does not fit among versions of torch, torchaudio and torchcodec, in words."""
    torch, _, build = versions["torch"].partition("+")
    audio, _, audio_build = versions["torchaudio"].partition("+")
    codec = _minor(versions["torchcodec"])
    wrong = []
    if _minor(torch) != _minor(audio):
        wrong.append(f"torchaudio {audio} is made for torch {_minor(audio)}")
    elif build and audio_build and build != audio_build:
        wrong.append(f"torchaudio is built for {audio_build}, torch for {build}")
    if (made_for := _TORCH_OF_TORCHCODEC.get(codec)) and made_for != _minor(torch):
        wrong.append(f"torchcodec {codec} is made for torch {made_for}")
    return [clean(text) for text in wrong]


def pins(_at: Surroundings) -> Iterator[Finding]:
    """Whether the installed packages are those that voicetui was tested with."""
    pinned = {}
    for requirement in importlib.metadata.requires("voicetui") or ():
        if match := re.fullmatch(r"([\w.-]+)==([\w.!]+)", requirement):
            pinned[match[1]] = match[2]
    wrong = []
    for name, wanted in pinned.items():
        found = _version(name)
        if found.partition("+")[0] != wanted:
            wrong.append(f"{name} is {clean(found) or 'missing'}, tested with {wanted}")
    if not wrong:
        yield Finding("ok", f"{len(pinned)} packages are those that voicetui was tested with")
        return
    missing = any("missing" in text for text in wrong)
    yield Finding("failure" if missing else "warning", "; ".join(wrong), _INSTALL)


def audio(at: Surroundings) -> Iterator[Finding]:
    """The libraries that read recordings."""
    try:
        found = attempt("audio", seconds=_TRIAL_SECONDS, check=at.check)
    except TrialError as error:
        yield Finding("failure", f"recordings cannot be read: {error}", _INSTALL)
        return
    ffmpeg = clean(f"PyAV {found['pyav']} with its own FFmpeg {found['ffmpeg']}")
    yield Finding("ok", f"{ffmpeg}; libsndfile {clean(found['sndfile'])}")


def torch(at: Surroundings) -> Iterator[Finding]:
    """Whether torch loads and computes, and which FFmpeg torchcodec finds."""
    try:
        found = attempt("torch", "cpu", seconds=_TRIAL_SECONDS, check=at.check)
    except TrialError as error:
        yield Finding("failure", f"torch does not work: {error}", _INSTALL)
        return
    cuda = f"built for CUDA {found['cuda']}" if found["cuda"] else "built for the CPU only"
    seen = clean(f"{found['torch']}, {cuda}; it computes")
    if at.graphics.gpus and not found["sees_cuda"]:
        yield Finding(
            "failure",
            f"{seen}, but sees no GPU, although the driver does",
            "Install the torch build with CUDA ('uv sync' in the clone does), and update the "
            "driver; check CUDA_VISIBLE_DEVICES.",
        )
    else:
        yield Finding("ok", seen)
    loaded = found["torchcodec"]
    if loaded.startswith("none"):
        # voicetui itself reads and writes with PyAV and libsndfile.
        loaded = "loads no FFmpeg; only torchaudio's own loading would need it"
    yield Finding("ok", clean(loaded), name="torchcodec")


def _minor(version: str) -> str:
    return ".".join(version.partition("+")[0].split(".")[:2])


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
