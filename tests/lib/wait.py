# SPDX-License-Identifier: MIT
"""Waiting for an event. The only place that lets time pass: tests never sleep."""

import threading
import time


def wait_until(predicate, timeout=30.0, what=None):
    """Returns predicate()'s first true value; fails when there is none for `timeout` seconds."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or predicate}")
        pause.wait(0.02)
