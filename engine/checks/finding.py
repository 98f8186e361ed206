"""What the checks of the doctor find, and what they are told about the surroundings."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from engine.errors import FailedError
from engine.hardware import Gpu, Monitor
from engine.nvml import Nvml

T = TypeVar("T")
Level = Literal["ok", "warning", "failure"]
# Starting the driver takes seconds on a box with many cards; a driver that hangs never answers.
_DRIVER_SECONDS = 30.0


@dataclass(frozen=True)
class Finding:
    """One thing that was seen. `remedy` says what to do, "" where nothing is to be done.

    `name` replaces that of the check, where one check finds several things.
    """

    level: Level
    seen: str
    remedy: str = ""
    name: str = ""


Findings = Iterable[Finding]


@dataclass(frozen=True)
class TerminalFacts:
    """What the caller knows of the terminal. `colours` is how many it can show (0: none).

    `multiplexer` is "tmux", "screen" or ""; `term` the value of $TERM.
    """

    is_tty: bool
    columns: int = 80
    rows: int = 24
    encoding: str = "utf-8"
    colours: int = 0
    term: str = ""
    multiplexer: str = ""
    no_color: bool = False


@dataclass(frozen=True)
class Graphics:
    """The driver and its cards. `absent` says why there are none; `is_stuck`: it never answered."""

    gpus: tuple[Gpu, ...] = ()
    driver: str = ""
    cuda: tuple[int, int] | None = None
    absent: str = ""
    is_stuck: bool = False


@dataclass
class Surroundings:
    """What the checks look at. `check` is called while they wait and may raise StopRequested."""

    folder: Path | None
    terminal: TerminalFacts
    environment: Mapping[str, str]
    check: Callable[[], None]
    nvml: Nvml | None = None
    _graphics: Graphics | None = field(default=None, init=False)

    @property
    def graphics(self) -> Graphics:
        """The cards, asked for once."""
        if self._graphics is None:
            try:
                self._graphics = within(_DRIVER_SECONDS, self._ask_driver)
            except TimeoutError:
                self._graphics = Graphics(absent="the NVIDIA driver hangs", is_stuck=True)
        return self._graphics

    def _ask_driver(self) -> Graphics:
        with Monitor(self.nvml) as monitor:
            return Graphics(monitor.gpus(), monitor.driver, monitor.cuda, monitor.no_gpus)


def within(seconds: float, call: Callable[[], T]) -> T:
    """What a call returns or raises. Raises TimeoutError when it takes longer, and leaves it be."""
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - raised in the caller's thread below
            errors.append(error)

    thread = threading.Thread(target=work, name="doctor", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return results[0]


def gigabytes(count: float) -> str:
    """A size as the checks show it: 812 MB, 5.3 GB."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


class TrialError(FailedError):
    """A try-out in a process of its own that did not end well."""
