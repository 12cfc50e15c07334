"""Solves that a request waits for: no more at a time than the machine has processors."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from common.errors import Text, Unavailable


class AtOnce:
    """Lets so many solves run at a time; others wait for their turn, but not for ever."""

    def __init__(self, most: int | None = None) -> None:
        self._turns = threading.BoundedSemaphore(most or os.cpu_count() or 1)

    @contextmanager
    def turn(self, *, wait_s: float) -> Iterator[None]:
        """Hold one turn.

        Raises
        ------
        Unavailable
            When none comes free within ``wait_s``.
        """
        if not self._turns.acquire(timeout=wait_s):
            raise Unavailable(Text("too many plans are being made: try again soon", "正在计算的计划过多，请稍后再试"))
        try:
            yield
        finally:
            self._turns.release()
