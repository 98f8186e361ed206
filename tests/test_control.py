from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Any

import pytest

from engine.control import Control
from engine.errors import StopRequested
from engine.requests import Request


def test_the_first_reason_to_stop_stays() -> None:
    control = Control()
    control.raise_if_stopped()
    control.stop("SIGINT")
    control.stop("request")
    assert control.stop_reason == "SIGINT"
    with pytest.raises(StopRequested) as caught:
        control.raise_if_stopped()
    assert caught.value.reason == "SIGINT"


def test_paused_work_goes_on_when_it_is_resumed() -> None:
    control = Control()
    control.pause()
    went_on = threading.Event()
    worker = threading.Thread(target=lambda: (control.wait_while_paused(), went_on.set()))
    worker.start()
    assert control.paused
    assert not went_on.is_set()
    control.resume()
    assert went_on.wait(5)
    worker.join()
    assert not control.paused


def test_a_stop_ends_a_pause_and_no_pause_follows_it() -> None:
    control = Control()
    control.pause()
    control.stop("request")
    assert not control.paused
    control.pause()
    assert not control.paused
    control.wait_while_paused()


def test_a_stop_in_the_middle_of_a_pause_never_leaves_the_work_paused() -> None:
    # A signal handler may run between any two lines of `pause`; here it runs before each in turn.
    lines = 0
    while True:
        control, left = Control(), lines

        def handler(frame: FrameType, event: str, argument: Any, control: Any = control) -> Any:
            nonlocal left
            if frame.f_code is not Control.pause.__code__:
                return None
            if event == "line":
                if left == 0:
                    control.stop("SIGINT")
                left -= 1
            return handler

        before = sys.gettrace()
        sys.settrace(handler)
        try:
            control.pause()
        finally:
            sys.settrace(before)
        if left >= 0:
            break  # `pause` has no more lines
        assert not control.paused
        lines += 1
    assert lines > 1


def test_requests_wait_in_their_order() -> None:
    control = Control()
    assert control.take() is None
    first, second = Request("1", "save"), Request("2", "speak", {"text": "hello"})
    control.add(first)
    control.add(second)
    assert control.take() == first
    assert control.take() == second
    assert control.take() is None
