"""The hints of a conversation as server-sent events, for screens that only read."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import aclosing

from anyio import to_thread

from api.live.admission import let_in
from api.schemas.live import HintEvent
from api.services import Services
from common.errors import FieldwiseError
from operations.access import Actor

RETRY_MS = 2000
"""After this a browser tries again when the stream was cut."""


async def server_sent_events(
    services: Services, actor: Actor, conversation: str, *, after: int, credential: str, language: str
) -> AsyncIterator[bytes]:
    """Yield the hints after number ``after`` in the wire format of server-sent events, and comments as heartbeats.

    Ends after ``live_stream_s``, at the shutdown, when the conversation is forgotten, and when the reader may not read
    it any more; a client that goes on opens it again with ``Last-Event-ID``.
    """
    settings = services.settings
    yield f"retry: {RETRY_MS}\n\n".encode()
    ends_at = time.monotonic() + settings.live_stream_s
    beat_s = min(settings.live_heartbeat_s, settings.live_stream_s)
    events = services.live.switchboard.follow(actor, conversation, after=after, beat_s=beat_s)
    try:
        async with aclosing(events):
            async for event in events:
                if event is not None:
                    body = HintEvent.of(event, language).model_dump_json()
                    yield f"id: {event.number}\nevent: hint\ndata: {body}\n\n".encode()
                    continue
                await to_thread.run_sync(let_in, services.gatekeeper, credential)
                if time.monotonic() >= ends_at:
                    return
                yield b": heartbeat\n\n"
    except FieldwiseError:
        # the answer has begun: all that is left is to end it
        return
