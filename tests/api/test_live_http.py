"""The live channel over real connections: sockets, event streams and requests, on one and on two service processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from api.app import create_app
from api.services import Services
from operations import people
from operations.access import Actor
from operations.store import schema
from operations.store.tables import Person, Region
from tests.api.live_service import fake_services, quick_settings
from tests.fake_coach import add_cases

PRICE = "这个也太贵了一点吧我觉得"
QUALITY = "而且你们的质量我不太放心啊"
BRAND = "你们这个牌子我也没有听说过"
SMALL_TALK = "今天天气真是不错啊我们出来走走"
PASSWORD = "correct horse battery staple"
PROGRAM = Path(__file__).with_name("live_service.py")
ROOT = PROGRAM.parents[2]
PATIENCE_S = 20


@dataclass
class Site:
    """A service that runs, and tokens of its people by code."""

    services: Services
    port: int
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, code: str) -> str:
        if code not in self.tokens:
            answer = httpx.post(f"{self.address}/v1/sign-in", json={"name": code, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            self.tokens[code] = answer.json()["token"]
        return self.tokens[code]

    def headers(self, code: str = "rep-1", **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token(code)}", "Accept-Language": "en", **more}

    def key(self, *scopes: str) -> str:
        with self.services.database.write("director") as session:
            director = Actor.person("director", "director", None)
            return people.make_key(session, director, name=uuid4().hex, scopes=list(scopes))[1]

    def open(self, code: str = "rep-1", **options: Any) -> ClientConnection:
        options = {"additional_headers": self.headers(code)} | options
        return connect(f"ws://127.0.0.1:{self.port}/v1/hints/live", proxy=None, **options)

    def at_port(self, port: int) -> Site:
        return Site(self.services, port, self.tokens)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, **changes: Any) -> Iterator[Site]:
    """Run the service on a thread."""
    services = fake_services(quick_settings(folder, **changes))
    app = create_app(services=services, console=False)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=free_port(), log_level="warning"))
    services.live.switchboard.should_stop = lambda: server.should_exit
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started, "the service")
    yield Site(services, server.config.port)
    server.should_exit = True
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small organisation and a library of three cases."""
    folder = tmp_path_factory.mktemp("live")
    services = fake_services(quick_settings(folder))
    schema.upgrade(services.database)
    password = services.gatekeeper.hash_password(PASSWORD)
    roles = {"rep-1": "rep", "rep-2": "rep", "rep-3": "rep", "manager": "region_manager", "director": "director"}
    with services.database.write("test") as session:
        session.add(Region(code="wuhou", name_zh="武侯", name_en="Wuhou", latitude=30.64, longitude=104.04))
        session.flush()
        for code, role in roles.items():
            session.add(Person(code=code, name=code, role=role, region_code="wuhou", password_hash=password))
    add_cases(services.database)
    services.close()
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    with serving(folder) as site:
        yield site


@pytest.fixture
def conversation() -> str:
    return uuid4().hex


def utterance(seq: int, text: str, speaker: str = "customer") -> dict[str, Any]:
    return {"seq": seq, "speaker": speaker, "text": text, "at": f"2026-11-24T10:{seq:02d}:00+08:00"}


def send(line: ClientConnection, message: dict[str, Any]) -> None:
    line.send(json.dumps(message))


def say(line: ClientConnection, seq: int, text: str, speaker: str = "customer") -> None:
    send(line, {"type": "utterance", **utterance(seq, text, speaker)})


def receive(line: ClientConnection, *kinds: str) -> dict[str, Any]:
    """Return the next message of one of the kinds; hints and acknowledgements may come in either order."""
    while True:
        message: dict[str, Any] = json.loads(line.recv(PATIENCE_S))
        if message["type"] in kinds:
            return message
        assert message["type"] in {"heartbeat", "ack", "hint", "started"}, message


def start(line: ClientConnection, conversation: str, last_event: int = 0, **more: Any) -> dict[str, Any]:
    send(line, {"type": "start", "conversation": conversation, "last_event": last_event, **more})
    return receive(line, "started")


def closed_with(line: ClientConnection) -> int:
    """Return the code with which the service closes a socket."""
    with pytest.raises(ConnectionClosed) as caught:
        for _ in range(1000):
            line.recv(PATIENCE_S)
    assert caught.value.rcvd is not None
    return caught.value.rcvd.code


def events_until_silence(line: ClientConnection) -> list[int]:
    """Return the numbers of the hints that come before the answer to a ping, and in the beats after it."""
    send(line, {"type": "ping"})
    numbers, beats = [], 0
    while beats < 3:
        message = json.loads(line.recv(PATIENCE_S))
        if message["type"] == "hint":
            numbers.append(message["event"])
        beats += message["type"] == "heartbeat"
    return numbers


# Talking.


def test_the_customers_objection_is_answered_with_a_hint_and_every_utterance_acknowledged(
    site: Site, conversation: str
) -> None:
    with site.open() as line:
        started = start(line, conversation, customer_type="shop_owners")
        assert started == {
            "type": "started",
            "conversation": conversation,
            "resumed": False,
            "last_event": 0,
            "heard": [],
        }
        say(line, 1, "您是觉得贵吗，质量不放心？", speaker="rep")
        assert receive(line, "ack", "hint") == {"type": "ack", "seq": 1}
        say(line, 2, PRICE)
        # the two come from different tasks, in either order
        hint, ack = sorted(
            (receive(line, "ack", "hint") for _ in range(2)), key=lambda message: message["type"] == "ack"
        )
    assert ack == {"type": "ack", "seq": 2}
    assert (hint["event"], hint["seq"]) == (1, 2)
    assert hint["hint"]["objection_types"][0]["code"] == "cheaper_competitor"
    suggestion = hint["hint"]["suggestions"][0]
    assert suggestion["talk_track"] == "一句关于 cheaper_competitor 的话"
    assert suggestion["warnings"][0]["bad_lines"] == ["我们就是贵"]
    # feedback goes by the hint's id, as for any hint
    answer = httpx.post(
        f"{site.address}/v1/hints/{hint['hint']['id']}/feedback",
        json={"rank": 1, "action": "used"},
        headers=site.headers(),
    )
    assert answer.status_code == 204


def test_a_held_back_objection_is_pushed_when_the_cool_down_ends_without_another_word(
    site: Site, conversation: str
) -> None:
    with site.open() as line:
        start(line, conversation)
        say(line, 1, PRICE)
        assert receive(line, "hint")["seq"] == 1
        say(line, 2, QUALITY)
        say(line, 3, SMALL_TALK)
        first = receive(line, "hint")
    assert (first["event"], first["seq"]) == (2, 2)


def test_all_sockets_of_a_conversation_get_its_hints(site: Site, conversation: str) -> None:
    with site.open() as phone, site.open() as tablet:
        start(phone, conversation)
        assert start(tablet, conversation)["resumed"]
        say(phone, 1, PRICE)
        assert receive(phone, "hint")["event"] == receive(tablet, "hint")["event"] == 1


def test_one_socket_may_go_from_one_conversation_to_the_next(site: Site, conversation: str) -> None:
    with site.open() as line, site.open() as other:
        start(line, conversation)
        start(line, f"{conversation}-next")
        start(other, conversation)
        say(other, 1, PRICE)
        assert receive(other, "hint")["event"] == 1
        say(line, 1, QUALITY)
        hint = receive(line, "hint")
        assert hint["hint"]["objection_types"][0]["code"] == "quality_doubt"


def test_texts_come_in_the_language_that_the_socket_asked_for(site: Site, conversation: str) -> None:
    headers = site.headers() | {"Accept-Language": "zh-CN"}
    with site.open(additional_headers=headers) as line:
        say(line, 1, PRICE)
        assert receive(line, "problem")["problem"]["detail"] == "请先发送 start 消息"
        start(line, conversation)
        say(line, 1, "it is too expensive for what it does")
        hint = receive(line, "hint")["hint"]
    assert hint["objection_types"][0]["name"] == "竞品更便宜"
    assert hint["suggestions"][0]["talk_track"] == "a line about cheaper_competitor"


# Lost connections.


def test_after_a_lost_connection_every_event_since_the_last_one_comes_again(site: Site, conversation: str) -> None:
    with site.open() as line:
        start(line, conversation)
        say(line, 1, PRICE)
        assert receive(line, "hint")["event"] == 1
        line.socket.shutdown(socket.SHUT_RDWR)  # as when the network goes away: no goodbye
    said = {"utterances": [utterance(2, SMALL_TALK)]}
    httpx.post(f"{site.address}/v1/hints/live/{conversation}/utterances", json=said, headers=site.headers())
    with site.open() as again:
        started = start(again, conversation, last_event=0)
        assert (started["resumed"], started["last_event"], started["heard"]) == (True, 1, [[1, 2]])
        assert receive(again, "hint")["event"] == 1
        for seq, text in enumerate([PRICE, SMALL_TALK], start=1):
            say(again, seq, text)
            assert receive(again, "ack")["seq"] == seq
        assert events_until_silence(again) == []
    with site.open() as third:
        start(third, conversation, last_event=1)
        assert events_until_silence(third) == []


def test_a_conversation_that_was_forgotten_begins_anew_and_its_first_hint_is_not_missed(
    site: Site, conversation: str
) -> None:
    with site.open() as line:
        assert not start(line, conversation, last_event=7)["resumed"]
        say(line, 1, PRICE)
        assert receive(line, "hint")["event"] == 1


@contextmanager
def second_process(site: Site, folder: Path) -> Iterator[tuple[Site, subprocess.Popen[bytes]]]:
    port = free_port()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-P", str(PROGRAM), str(folder), str(port)], cwd=ROOT, env=environment)
    other = site.at_port(port)

    def answers() -> bool:
        assert process.poll() is None, "the second process ended"
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{other.address}/healthz").status_code == 200
        return False

    try:
        until(answers, "the second process")
        yield other, process
    finally:
        process.kill()
        process.wait()


def test_a_second_process_resumes_the_conversation_and_both_tell_their_sockets(
    site: Site, folder: Path, conversation: str
) -> None:
    with site.open() as watching, second_process(site, folder) as (other, _):
        start(watching, conversation)
        say(watching, 1, SMALL_TALK)
        with other.open() as line:
            started = start(line, conversation)
            assert (started["resumed"], started["heard"]) == (True, [[1, 1]])
            say(line, 2, PRICE)
            assert receive(line, "hint")["event"] == receive(watching, "hint")["event"] == 1
        with other.open() as line:
            assert start(line, conversation, last_event=0)["last_event"] == 1
            assert receive(line, "hint")["seq"] == 2
            say(line, 2, PRICE)
            say(line, 3, QUALITY)
            assert receive(line, "hint")["event"] == receive(watching, "hint")["event"] == 2
        answer = httpx.post(
            f"{other.address}/v1/hints/live/{conversation}/utterances",
            json={"utterances": [], "last_event": 0},
            headers=site.headers(),
        )
        assert [event["event"] for event in answer.json()["events"]] == [1, 2]


def test_what_another_process_heard_is_found_by_looking_without_a_beat_or_a_word(
    folder: Path, site: Site, conversation: str
) -> None:
    with serving(folder, live_heartbeat_s=60) as first, first.open() as line:
        start(line, conversation)
        said = {"utterances": [utterance(1, PRICE)]}
        httpx.post(f"{site.address}/v1/hints/live/{conversation}/utterances", json=said, headers=site.headers())
        assert receive(line, "hint")["event"] == 1


def test_a_process_that_looks_seldom_tells_what_it_hears_itself_all_the_same(folder: Path, conversation: str) -> None:
    with serving(folder, live_poll_s=60, live_heartbeat_s=60) as site, site.open() as line:
        start(line, conversation)
        say(line, 1, PRICE)
        assert receive(line, "hint")["event"] == 1
        say(line, 2, QUALITY)
        assert receive(line, "hint")["event"] == 2


def test_a_service_that_is_told_to_stop_lets_sockets_and_streams_go(
    site: Site, folder: Path, conversation: str
) -> None:
    with second_process(site, folder) as (other, process):
        with other.open() as line:
            start(line, conversation)
            path = f"{other.address}/v1/hints/live/{conversation}/events"
            with httpx.stream("GET", path, headers=site.headers(), timeout=PATIENCE_S) as stream:
                lines = stream.iter_lines()
                assert next(lines) == "retry: 2000"
                process.send_signal(signal.SIGTERM)
                for _ in lines:  # an answer that was cut off would raise here
                    pass
            assert closed_with(line) == 1012
        assert process.wait(PATIENCE_S) == -signal.SIGTERM


# Who may come in.


def test_a_browser_sends_its_token_as_a_subprotocol_which_is_never_sent_back(site: Site, conversation: str) -> None:
    offered = ["fieldwise", f"bearer.{site.token('rep-1')}"]
    with site.open(additional_headers={}, subprotocols=offered, origin=site.address) as line:
        assert line.subprotocol == "fieldwise"
        assert start(line, conversation)["type"] == "started"
    with site.open(additional_headers={}, subprotocols=["fieldwise", f"bearer.{site.key('hints:ask')}"]) as line:
        assert start(line, uuid4().hex)["type"] == "started"


@pytest.mark.parametrize(
    "offered", [["fieldwise"], ["fieldwise", "bearer."], ["fieldwise", "bearer.nonsense"], ["fieldwise", "token.x"]]
)
def test_a_browser_without_a_right_token_is_told_by_4401(site: Site, offered: list[str]) -> None:
    with site.open(additional_headers={}, subprotocols=offered) as line:
        assert closed_with(line) == 4401


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic abc"}])
def test_nobody_known_is_closed_with_4401(site: Site, headers: dict[str, str]) -> None:
    with site.open(additional_headers=headers) as line:
        assert closed_with(line) == 4401


@pytest.mark.parametrize("name", ["token", "access_token", "authorization"])
def test_a_token_in_the_address_does_not_count(site: Site, name: str) -> None:
    address = f"ws://127.0.0.1:{site.port}/v1/hints/live?{name}={site.token('rep-1')}"
    with connect(address, proxy=None) as line:
        assert closed_with(line) == 4401


def test_a_key_without_the_right_to_ask_is_closed_with_4403(site: Site) -> None:
    headers = {"Authorization": f"Bearer {site.key('library:read')}"}
    with site.open(additional_headers=headers) as line:
        assert closed_with(line) == 4403


@pytest.mark.parametrize(
    ("origin", "comes_in"),
    [
        ("https://evil.example", False),
        ("null", False),
        ("http://127.0.0.1.evil.example", False),
        ("https://app.example.com.evil.example", False),
        ("https://app.example.com", True),
    ],
)
def test_pages_of_other_sites_may_open_sockets_only_when_they_are_named(
    site: Site, conversation: str, origin: str, comes_in: bool
) -> None:
    with site.open(origin=origin) as line:
        if comes_in:
            assert start(line, conversation)["type"] == "started"
        else:
            assert closed_with(line) == 4403


def test_who_leaves_the_organisation_is_out_at_the_next_heartbeat(site: Site, conversation: str) -> None:
    headers = site.headers("rep-3")
    path = f"{site.address}/v1/hints/live/{conversation}/events"
    with site.open("rep-3") as line:
        start(line, conversation)
        with httpx.stream("GET", path, headers=headers, timeout=PATIENCE_S) as stream:
            lines = stream.iter_lines()
            next(lines)
            with site.services.database.write("test") as session:
                session.get_one(Person, "rep-3").active = False
            for beats, _ in enumerate(lines):
                assert beats < 100, "the stream goes on"
        assert closed_with(line) == 4401


def test_somebody_elses_conversation_is_not_there(site: Site, conversation: str) -> None:
    with site.open() as line, site.open("rep-2") as stranger, site.open("manager") as manager:
        start(line, conversation)
        say(line, 1, PRICE)
        receive(line, "hint")
        for other in (stranger, manager):
            send(other, {"type": "start", "conversation": conversation, "last_event": 0})
            problem = receive(other, "problem")["problem"]
            assert (problem["status"], problem["type"]) == (409, "/problems/conflict")
    path = f"{site.address}/v1/hints/live/{conversation}"
    assert httpx.get(f"{path}/events", headers=site.headers("rep-2")).status_code == 404
    said = {"utterances": [utterance(2, QUALITY)]}
    for other in ("rep-2", "manager"):
        assert httpx.post(f"{path}/utterances", json=said, headers=site.headers(other)).status_code == 409


# What is wrong, and what is too much.


@pytest.mark.parametrize(
    ("message", "pointer"),
    [
        ("{", "/"),
        ("[1, 2]", "/"),
        ('"start"', "/"),
        ("[" * 5000, "/"),
        ('{"type": "sing"}', "/type"),
        ('{"type": ["start"]}', "/type"),
        ('{"seq": 1}', "/type"),
        ('{"type": "start"}', "/conversation"),
        ('{"type": "start", "conversation": "short"}', "/conversation"),
        ('{"type": "start", "conversation": "12345678", "last_event": -1}', "/last_event"),
        ('{"type": "start", "conversation": "12345678", "token": "x"}', "/token"),
        ('{"type": "start", "conversation": "12345678", "region": "nowhere"}', None),
        (json.dumps({"type": "utterance", **utterance(1, "  ")}), "/text"),
        (json.dumps({"type": "utterance", **utterance(1, "太\u0007贵")}), "/text"),
        (json.dumps({"type": "utterance", **utterance(1, "好" * 2001)}), "/text"),
        (json.dumps({"type": "utterance", **utterance(1, PRICE, "dog")}), "/speaker"),
        (json.dumps({"type": "utterance", **utterance(1, PRICE), "at": "2026-11-24T10:00:00"}), "/at"),
        (json.dumps({"type": "utterance", **utterance(1, PRICE), "seq": -1}), "/seq"),
        (json.dumps({"type": "utterance", **utterance(1, PRICE), "seq": 2**60}), "/seq"),
        (json.dumps({"type": "utterance", **utterance(1, PRICE), "extra": "x" * 20_000}), "/"),
        (b"\x00\x01", "/"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_message_is_answered_with_the_problem_and_the_socket_stays_open(
    site: Site, conversation: str, message: str | bytes, pointer: str | None
) -> None:
    with site.open() as line:
        start(line, conversation)
        line.send(message)
        problem = receive(line, "problem")["problem"]
        if pointer is not None:
            assert problem["status"] == 422
            assert [error["pointer"] for error in problem["errors"]] == [pointer]
        send(line, {"type": "ping"})
        assert receive(line, "pong") == {"type": "pong"}
        say(line, 1, PRICE)
        assert receive(line, "hint")["event"] == 1


def test_a_problem_names_the_utterance_that_it_is_about(site: Site) -> None:
    with site.open() as line:
        say(line, 5, PRICE)
        problem = receive(line, "problem")
    assert (problem["seq"], problem["problem"]["status"]) == (5, 409)
    assert problem["problem"]["detail"] == "send a start message first"


def test_limits_are_answered_as_problems_and_idle_sockets_are_closed(folder: Path) -> None:
    changes = {"live_utterances_per_minute": 3, "live_conversations": 2, "live_idle_s": 1.0}
    with serving(folder, **changes) as site:
        key = {"Authorization": f"Bearer {site.key('hints:ask')}", "Accept-Language": "en"}
        with site.open(additional_headers=key) as line:
            start(line, "conversation-a")
            for seq in (1, 2):
                say(line, seq, SMALL_TALK)
                receive(line, "ack")
            say(line, 3, SMALL_TALK)
            problem = receive(line, "problem")
            assert (problem["seq"], problem["problem"]["status"]) == (3, 429)
            assert problem["retry_after_s"] == 20
            start(line, "conversation-b")
            send(line, {"type": "start", "conversation": "conversation-c"})
            assert receive(line, "problem")["problem"]["status"] == 409
            assert start(line, "conversation-b")["resumed"]
            assert closed_with(line) == 4408


def test_a_database_that_is_away_for_a_moment_loses_no_utterance(
    site: Site, conversation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OSError("the disk is gone")

    with site.open() as line:
        start(line, conversation)
        with monkeypatch.context() as broken:
            broken.setattr("operations.live_hints.hear", away)
            say(line, 1, PRICE)
            problem = receive(line, "problem")
            assert (problem["seq"], problem["problem"]["status"]) == (1, 500)
        say(line, 1, PRICE)
        assert receive(line, "hint")["seq"] == 1


# Without a socket.


def stream_events(site: Site, conversation: str, code: str, last_event_id: str | None, wanted: int) -> list[str]:
    """Return the lines of an event stream until so many events came."""
    headers = site.headers(code) | ({"Last-Event-ID": last_event_id} if last_event_id else {})
    path = f"{site.address}/v1/hints/live/{conversation}/events"
    lines: list[str] = []
    with httpx.stream("GET", path, headers=headers, timeout=PATIENCE_S) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            lines.append(line)
            if sum(each.startswith("data: ") for each in lines) == wanted and line == "":
                return lines
    return lines


def test_a_manager_reads_along_and_goes_on_after_the_last_event_that_was_seen(site: Site, conversation: str) -> None:
    with site.open() as line:
        start(line, conversation)
        say(line, 1, PRICE)
        receive(line, "hint")
        lines = stream_events(site, conversation, "manager", None, 1)
        assert lines[:4] == ["retry: 2000", "", "id: 1", "event: hint"]
        event = json.loads(lines[4].removeprefix("data: "))
        assert (event["event"], event["hint"]["suggestions"][0]["rank"]) == (1, 1)
        say(line, 2, QUALITY)
        later = stream_events(site, conversation, "manager", "1", 1)
        assert [each for each in later if each.startswith("id: ")] == ["id: 2"]
        everything = stream_events(site, conversation, "director", None, 2)
        assert [each for each in everything if each.startswith("id: ")] == ["id: 1", "id: 2"]


def test_a_silent_stream_beats_and_ends_at_its_time(folder: Path, conversation: str) -> None:
    with serving(folder, live_stream_s=1.0) as site, site.open() as line:
        start(line, conversation)
        lines = stream_events(site, conversation, "rep-1", None, 1)
    assert ": heartbeat" in lines
    assert not any(line.startswith("data") for line in lines)


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 404), ({"Last-Event-ID": "x"}, 422), ({"Last-Event-ID": "-1"}, 422), ({"Authorization": ""}, 401)],
)
def test_a_stream_that_cannot_be_is_refused_with_a_problem(site: Site, headers: dict[str, str], status: int) -> None:
    answer = httpx.get(f"{site.address}/v1/hints/live/{uuid4().hex}/events", headers=site.headers() | headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_utterances_by_request_give_the_same_hints_and_may_be_sent_again(site: Site, conversation: str) -> None:
    path = f"{site.address}/v1/hints/live/{conversation}/utterances"

    def post(*utterances: dict[str, Any], **more: Any) -> dict[str, Any]:
        answer = httpx.post(path, json={"utterances": utterances, **more}, headers=site.headers())
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    first = post(utterance(1, SMALL_TALK), utterance(2, PRICE), customer_type="elderly")
    assert (first["acknowledged"], [event["seq"] for event in first["events"]]) == ([1, 2], [2])
    assert post(utterance(1, SMALL_TALK), utterance(2, PRICE)) == first
    held = post(utterance(3, QUALITY))
    assert (held["events"], held["held_until"] is None) == ([], False)
    later: list[dict[str, Any]] = []
    until(lambda: bool(later.append(post(last_event=1)) or later[-1]["events"]), "the hint that was held back")
    assert [(event["event"], event["seq"]) for event in later[-1]["events"]] == [(2, 3)]
    assert post(utterance(3, QUALITY))["events"] == later[-1]["events"]


def test_what_comes_by_request_is_told_to_the_socket(site: Site, conversation: str) -> None:
    with site.open() as line:
        start(line, conversation)
        said = {"utterances": [utterance(1, PRICE)]}
        httpx.post(f"{site.address}/v1/hints/live/{conversation}/utterances", json=said, headers=site.headers())
        assert receive(line, "hint")["event"] == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/utterances"),
        ({"utterances": [utterance(1, PRICE), utterance(2, "")]}, "/utterances/1/text"),
        ({"utterances": [utterance(each, SMALL_TALK) for each in range(51)]}, "/utterances"),
        ({"utterances": [], "limit": 0}, "/limit"),
    ],
)
def test_a_wrong_request_names_the_field(site: Site, conversation: str, body: dict[str, Any], pointer: str) -> None:
    answer = httpx.post(f"{site.address}/v1/hints/live/{conversation}/utterances", json=body, headers=site.headers())
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_the_messages_in_the_documentation_are_taken(site: Site) -> None:
    page = (ROOT / "docs/live-hints.md").read_text(encoding="utf-8")
    sent = [json.loads(line[2:]) for line in page.splitlines() if line.startswith('> {"type"')]
    assert {message["type"] for message in sent} == {"start", "utterance", "ping"}
    with site.open() as line:
        for message in sent:
            send(line, message | ({"conversation": uuid4().hex} if message["type"] == "start" else {}))
            wrong = message["type"] == "utterance" and "text" not in message
            answers = {"start": "started", "utterance": "problem" if wrong else "ack", "ping": "pong"}
            receive(line, answers[message["type"]])
    posted = [json.loads(line[2:]) for line in page.splitlines() if line.startswith(('> {"utter', '> {"cust'))]
    for path, body in zip((f"live/{uuid4().hex}/utterances", "prefetch"), posted, strict=True):
        answer = httpx.post(f"{site.address}/v1/hints/{path}", json=body, headers=site.headers())
        assert answer.status_code == 200, answer.text
