"""Hints in a running conversation: over a socket, as server-sent events, or request by request."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Path, Request, WebSocket
from fastapi.responses import StreamingResponse

from api.errors import language_of
from api.live import admission
from api.live.line import Line
from api.live.stream import server_sent_events
from api.routers import CurrentServices, problems
from api.schemas.live import CONVERSATION_PATTERN, HintEvent, UtterancesAnswer, UtterancesRequest
from api.security import CurrentActor
from api.services import Services
from common.errors import FieldwiseError
from operations import live_hints, live_records
from operations.live_conversation import has_heard

router = APIRouter(prefix="/v1/hints/live", tags=["live hints"])
ConversationPath = Annotated[
    str, Path(pattern=CONVERSATION_PATTERN, description="The id that the client made, such as a UUID.")
]


@router.websocket("")
async def converse(websocket: WebSocket) -> None:
    """Serve one socket (see docs/live-hints.md), or close it at once with the reason."""
    services: Services = websocket.app.state.services
    subprotocol = admission.chosen_subprotocol(websocket)
    try:
        caller = await to_thread.run_sync(
            admission.admit, services.gatekeeper, websocket, services.settings.live_origins
        )
    except FieldwiseError as error:
        # accepted first: a browser would not be told the code of a socket that never opened
        await websocket.accept(subprotocol)
        reason = admission.close_reason(error.text.in_language(language_of(websocket)))
        await websocket.close(admission.close_code(error), reason)
        return
    await websocket.accept(subprotocol)
    await Line(websocket, services, caller).serve()


@router.get(
    "/{conversation}/events",
    response_class=StreamingResponse,
    responses={
        200: {"description": "Events `hint`; their data is a HintEvent.", "content": {"text/event-stream": {}}},
        **problems(403, 404),
    },
)
async def stream_events(
    request: Request,
    conversation: ConversationPath,
    services: CurrentServices,
    actor: CurrentActor,
    last_event_id: Annotated[
        int | None,
        Header(ge=0, le=2**31 - 1, description="Only events after this one; browsers send it by themselves."),
    ] = None,
) -> StreamingResponse:
    """Stream the hints of a conversation to who may read it: its owner, the manager of its region, a director."""
    after = last_event_id or 0
    # asked once before the answer begins, so that a refusal is a problem answer
    await to_thread.run_sync(live_records.events_after, services.live.desk, actor, conversation, 2**31 - 1)
    credential = request.headers["authorization"].partition(" ")[2].strip()
    events = server_sent_events(
        services, actor, conversation, after=after, credential=credential, language=language_of(request)
    )
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@router.post("/{conversation}/utterances", responses=problems(403, 404, 409, 429, 503))
def say(
    request: Request,
    conversation: ConversationPath,
    body: UtterancesRequest,
    services: CurrentServices,
    actor: CurrentActor,
) -> UtterancesAnswer:
    """Send utterances without a socket and get the hints that they caused.

    The first request begins the conversation. An utterance sent again is not heard again, and its hint is returned
    again. An objection heard during the cool-down is held back: its hint comes with a later request.
    """
    channel = services.live
    opened = live_hints.open_conversation(
        channel.desk, actor, conversation, situation=body.situation(), region=body.region
    )
    for utterance in body.utterances:
        if not has_heard(opened.heard, utterance.seq):
            channel.brake.count(actor, conversation)
            live_hints.hear(channel.desk, actor, conversation, utterance.utterance())
    live_hints.release(channel.desk, conversation)
    channel.switchboard.changed(conversation)
    seqs = [utterance.seq for utterance in body.utterances]
    events = live_records.events_caused(channel.desk, actor, conversation, seqs, after=body.last_event)
    position = live_records.positions(channel.desk, [conversation]).get(conversation)
    return UtterancesAnswer(
        conversation=conversation,
        acknowledged=seqs,
        events=[HintEvent.of(event, language_of(request)) for event in events],
        held_until=position.held_until if position else None,
    )
