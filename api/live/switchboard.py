"""Tells everybody who follows a conversation in this process that it has something new."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager, suppress

from anyio import to_thread

from operations import live_hints, live_records
from operations.access import Actor
from operations.live_records import LiveDesk, LiveHintGiven, Position

log = logging.getLogger("fieldwise.live")


class Switchboard:
    """Wakes followers when their conversation has a new hint, wherever that was given.

    What this process hears wakes its followers at once. What another process hears is found by one query a
    ``poll_s`` for all conversations that are followed here. The same task gives hints that were held back when their
    time comes. It runs only while somebody follows.

    Parameters
    ----------
    desk : LiveDesk
    poll_s : float
        Seconds between two looks for what other processes did.
    should_stop : callable
        Whether the process is shutting down: then every follower is let go.
    """

    def __init__(self, desk: LiveDesk, *, poll_s: float, should_stop: Callable[[], bool] = lambda: False) -> None:
        self._desk = desk
        self._poll_s = poll_s
        self.should_stop = should_stop
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._seen: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def changed(self, conversation_id: str) -> None:
        """Note that a conversation was changed by this process; may be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ring, conversation_id)

    async def follow(
        self, actor: Actor, conversation_id: str, *, after: int, beat_s: float
    ) -> AsyncGenerator[LiveHintGiven | None, None]:
        """Yield each hint after number ``after`` once and in order, and None every ``beat_s`` seconds.

        Ends when the process shuts down.

        Raises
        ------
        NotFound
            When the conversation is forgotten, or the actor may not read it.
        """
        with self._bell(conversation_id) as bell:
            beat_at = time.monotonic() + beat_s
            while not self.should_stop():
                bell.clear()
                for event in await to_thread.run_sync(
                    live_records.events_after, self._desk, actor, conversation_id, after
                ):
                    after = event.number
                    yield event
                if time.monotonic() >= beat_at:
                    beat_at = time.monotonic() + beat_s
                    yield None
                with suppress(TimeoutError):
                    await asyncio.wait_for(bell.wait(), max(0.0, beat_at - time.monotonic()))

    @contextmanager
    def _bell(self, conversation_id: str) -> Iterator[asyncio.Event]:
        bell = asyncio.Event()
        self._bells.setdefault(conversation_id, set()).add(bell)
        self._loop = asyncio.get_running_loop()
        if self._watching is None or self._watching.done():
            self._watching = self._loop.create_task(self._watch(), name="live-switchboard")
        self._wake.set()
        try:
            yield bell
        finally:
            self._bells[conversation_id].discard(bell)
            if not self._bells[conversation_id]:
                del self._bells[conversation_id]
                self._seen.pop(conversation_id, None)
                self._wake.set()

    def _ring(self, conversation_id: str) -> None:
        for bell in self._bells.get(conversation_id, ()):
            bell.set()
        self._wake.set()  # an objection may be held back now: the task has to know until when

    async def _watch(self) -> None:
        while self._bells:
            self._wake.clear()
            wait_s = self._poll_s
            try:
                wait_s = await self._look()
            except Exception:
                # The database may be away for a moment; followers wait.
                log.exception("conversations could not be looked at")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), wait_s)
            if self.should_stop():
                for conversation_id in list(self._bells):
                    self._ring(conversation_id)
                await asyncio.sleep(0.05)

    async def _look(self) -> float:
        """Ring for what is new, give what was held back, and return how long to wait for the next look."""
        followed = list(self._bells)
        found = await to_thread.run_sync(live_records.positions, self._desk, followed)
        wait_s = self._poll_s
        for conversation_id in followed:
            position = found.get(conversation_id)
            # forgotten ones ring too: their followers find out and leave
            if position is None or position.last_event != self._seen.get(conversation_id):
                for bell in self._bells.get(conversation_id, ()):
                    bell.set()
            if position is not None:
                self._seen[conversation_id] = position.last_event
                wait_s = min(wait_s, await self._give_held(conversation_id, position))
        return wait_s

    async def _give_held(self, conversation_id: str, position: Position) -> float:
        """Give what was held back when it is time, and return the seconds until then."""
        if position.held_until is None:
            return self._poll_s
        left_s = (position.held_until - self._desk.database.clock.now()).total_seconds()
        if left_s > 0:
            return left_s
        try:
            await to_thread.run_sync(live_hints.release, self._desk, conversation_id)
        except Exception:
            # It stays held back for the next look; the other conversations must not wait for it.
            log.exception("a hint that was held back could not be given")
            return self._poll_s
        for bell in self._bells.get(conversation_id, ()):
            bell.set()
        return self._poll_s
