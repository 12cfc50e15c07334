"""One open socket: messages in, acknowledgements and hints out."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json
from starlette.websockets import WebSocket, WebSocketDisconnect

from api.errors import SignInNeeded, TooManyRequests, fieldwise_problem, language_of, problem
from api.field_problems import field_problem
from api.live.admission import IDLE, TRY_AGAIN_LATER, Caller, close_code, close_reason, let_in
from api.schemas.live import (
    CLIENT_MESSAGES,
    AckMessage,
    ClientMessage,
    HintEvent,
    ProblemMessage,
    SignMessage,
    StartedMessage,
    StartMessage,
    UtteranceMessage,
)
from api.services import Services
from common.errors import Conflict, FieldwiseError, Forbidden, InvalidInput, Text
from operations import live_hints

log = logging.getLogger("fieldwise.live")


class Line:
    """Serves one socket until it closes.

    Messages are taken one after the other, so that utterances are heard in their order. A task of its own sends the
    hints of the conversation, wherever they were given; another sends heartbeats and looks whether the caller may
    still be here. When one of them finds the socket closed, all of them end.
    """

    def __init__(self, websocket: WebSocket, services: Services, caller: Caller) -> None:
        self._websocket = websocket
        self._services = services
        self._settings = services.settings
        self._channel = services.live
        self._actor = caller.actor
        self._credential = caller.credential
        self._language = language_of(websocket)
        self._sending = anyio.Lock()
        self._closed = False
        self._conversation: str | None = None
        self._following = anyio.CancelScope()
        self._spoke_at = anyio.current_time()

    async def serve(self) -> None:
        """Serve the socket; returns when it is closed."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._until_closed, tasks, self._keep_alive)
            await self._until_closed(tasks, lambda: self._listen(tasks))

    async def _until_closed(self, tasks: TaskGroup, work: Callable[[], Awaitable[None]]) -> None:
        with suppress(WebSocketDisconnect):
            await work()
        tasks.cancel_scope.cancel()

    async def _listen(self, tasks: TaskGroup) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            await self._take(message.get("text"), tasks)

    async def _take(self, text: str | None, tasks: TaskGroup) -> None:
        """Take one message; whatever is wrong with it is answered, and the socket stays open."""
        raw: dict[str, Any] = {}
        try:
            raw = read_json(text, self._settings.live_max_message_bytes)
            message = read_message(raw)
            if isinstance(message, StartMessage):
                await self._start(message, tasks)
            elif isinstance(message, UtteranceMessage):
                await self._hear(message)
            else:
                await self._send(SignMessage(type="pong"))
        except FieldwiseError as error:
            await self._refuse(error, raw.get("seq"))
        except WebSocketDisconnect:
            raise
        except Exception:
            log.exception("unexpected error in a live conversation")
            answer = problem(
                self._websocket, 500, Text("the error was logged; please report it", "错误已记录，请联系管理员")
            )
            await self._send(ProblemMessage(seq=_number(raw.get("seq")), problem=json.loads(bytes(answer.body))))

    async def _start(self, message: StartMessage, tasks: TaskGroup) -> None:
        def open_it() -> live_hints.Opened:
            self._channel.brake.count(self._actor, message.conversation)
            return live_hints.open_conversation(
                self._channel.desk,
                self._actor,
                message.conversation,
                situation=message.situation(),
                region=message.region,
            )

        self._spoke_at = anyio.current_time()
        opened = await to_thread.run_sync(open_it)
        self._following.cancel()
        self._following = anyio.CancelScope()
        self._conversation = opened.conversation
        await self._send(StartedMessage.of(opened))
        # a conversation that was forgotten begins anew, whatever number its client remembers
        after = min(message.last_event, opened.last_event)
        tasks.start_soon(self._follow, opened.conversation, after, self._following, tasks)

    async def _hear(self, message: UtteranceMessage) -> None:
        conversation = self._conversation
        if conversation is None:
            raise Conflict(Text("send a start message first", "请先发送 start 消息"))

        def hear() -> None:
            self._channel.brake.count(self._actor, conversation)
            live_hints.hear(self._channel.desk, self._actor, conversation, message.utterance())

        self._spoke_at = anyio.current_time()
        await to_thread.run_sync(hear)
        self._channel.switchboard.changed(conversation)
        await self._send(AckMessage(seq=message.seq))

    async def _follow(self, conversation: str, after: int, scope: anyio.CancelScope, tasks: TaskGroup) -> None:
        """Send the hints of a conversation until another one is started; a forgotten one is said so once."""
        with scope:
            try:
                await self._push(conversation, after)
            except FieldwiseError as error:
                with suppress(WebSocketDisconnect):
                    await self._refuse(error, None)
            except WebSocketDisconnect:
                tasks.cancel_scope.cancel()
            except Exception:
                log.exception("a live conversation could not be followed")
                await self._close(TRY_AGAIN_LATER, "try again later")
                tasks.cancel_scope.cancel()

    async def _push(self, conversation: str, after: int) -> None:
        beat_s = self._settings.live_heartbeat_s
        events = self._channel.switchboard.follow(self._actor, conversation, after=after, beat_s=beat_s)
        async with aclosing(events):
            async for event in events:
                if event is not None:
                    await self._send(HintEvent.of(event, self._language))

    async def _keep_alive(self) -> None:
        """Send heartbeats, until nothing was said for too long or the caller may not be here any more."""
        while True:
            await anyio.sleep(self._settings.live_heartbeat_s)
            if anyio.current_time() - self._spoke_at > self._settings.live_idle_s:
                return await self._close(IDLE, "nothing was said for too long")
            try:
                self._actor = await to_thread.run_sync(let_in, self._services.gatekeeper, self._credential)
            except (SignInNeeded, Forbidden) as error:
                return await self._close(close_code(error), error.text.in_language(self._language))
            except Exception:
                log.warning("nobody could be looked up for a heartbeat", exc_info=True)
            await self._send(SignMessage(type="heartbeat"))

    async def _refuse(self, error: FieldwiseError, seq: object) -> None:
        answer = fieldwise_problem(self._websocket, error)
        wait_s = error.retry_after_s if isinstance(error, TooManyRequests) else None
        body = json.loads(bytes(answer.body))
        await self._send(ProblemMessage(seq=_number(seq), retry_after_s=wait_s, problem=body))

    async def _send(self, message: BaseModel) -> None:
        async with self._sending:
            if self._closed:
                raise WebSocketDisconnect
            await self._websocket.send_text(message.model_dump_json())

    async def _close(self, code: int, reason: str) -> None:
        async with self._sending:
            if not self._closed:
                self._closed = True
                await self._websocket.close(code, close_reason(reason))


def read_json(text: str | None, max_bytes: int) -> dict[str, Any]:
    """Return the object in a message.

    Raises
    ------
    InvalidInput
        When it is not text, too long, or no JSON object.
    """
    if text is None:
        raise InvalidInput.at("/", "send text, not bytes", "请发送文本消息，不要发送二进制")
    if len(text) > max_bytes or len(text.encode()) > max_bytes:
        raise InvalidInput.at("/", f"must not exceed {max_bytes} bytes", f"消息不能超过 {max_bytes} 字节")
    try:
        raw = from_json(text)
    except ValueError:
        raw = None
    if not isinstance(raw, dict):
        raise InvalidInput.at("/", "is not a JSON object", "不是 JSON 对象")
    return raw


def read_message(raw: dict[str, Any]) -> ClientMessage:
    """Return a message of a client.

    Raises
    ------
    InvalidInput
        When its type is unknown or a field is wrong; every wrong field is named.
    """
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in CLIENT_MESSAGES:
        known = list(CLIENT_MESSAGES)
        raise InvalidInput.at("/type", f"must be one of {', '.join(known)}", f"应为 {'、'.join(known)} 之一")
    try:
        return CLIENT_MESSAGES[kind].model_validate(raw)
    except ValidationError as error:
        fields = [field_problem(item) for item in error.errors()]
        raise InvalidInput(Text("the message has fields that are wrong", "消息中有字段不正确"), fields=fields) from None


def _number(seq: object) -> int | None:
    return seq if isinstance(seq, int) and not isinstance(seq, bool) else None
