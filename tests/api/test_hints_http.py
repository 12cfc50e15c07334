"""Hints and feedback over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from api.jobs import Worker
from api.services import Services
from operations.hint_log import unpack_candidates
from operations.store.tables import Hint, HintFeedback, HintSuggestion
from tests.api.conftest import Client


def test_a_spoken_objection_gets_three_lines_with_evidence(signed_in: Client, services: Services) -> None:
    answer = signed_in("rep").post("/v1/hints", json={"text": "隔壁家同款便宜两百块"})
    assert answer.status_code == 200
    hint = answer.json()
    assert hint["matched"]
    assert hint["objection_types"][0]["code"] == "cheaper_competitor"
    assert [item["rank"] for item in hint["suggestions"]] == [1, 2, 3]
    assert len({item["approach"] for item in hint["suggestions"]}) == 3
    for item in hint["suggestions"]:
        assert item["talk_track"]
        assert item["effect"]["n"] > 0
        assert item["language"] == "zh"
    with services.database.read() as session:
        shown = session.scalars(select(HintSuggestion.entry_key).where(HintSuggestion.hint_id == hint["id"])).all()
    assert set(shown) == {item["entry_key"] for item in hint["suggestions"]}


def test_small_talk_gets_an_honest_no_match_and_a_question_to_ask(signed_in: Client) -> None:
    hint = signed_in("rep").post("/v1/hints", json={"text": "今天天气真好"}).json()
    assert (hint["matched"], hint["suggestions"]) == (False, [])
    assert hint["reason"]
    assert hint["open_question"]


def test_an_english_question_gets_english_lines(signed_in: Client) -> None:
    hint = signed_in("rep").post("/v1/hints", json={"text": "The shop next door sells the same one for less"}).json()
    assert hint["matched"]
    assert {item["language"] for item in hint["suggestions"]} == {"en"}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": ""}, "/text"),
        ({"text": "   "}, "/text"),
        ({"text": "好" * 501}, "/text"),
        ({"text": 5}, "/text"),
        ({}, "/text"),
        ({"text": "太贵了", "language": "fr"}, "/language"),
        ({"text": "太贵了", "limit": 0}, "/limit"),
        ({"text": "太贵了", "txet": "x"}, "/txet"),
        ({"text": "太\u0007贵"}, "/text"),
    ],
)
def test_a_wrong_question_is_answered_with_the_field_that_is_wrong(
    signed_in: Client, services: Services, body: dict[str, object], pointer: str
) -> None:
    def stored() -> int | None:
        with services.database.read() as session:
            return session.scalar(select(func.count()).select_from(Hint))

    before = stored()
    answer = signed_in("rep").post("/v1/hints", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert stored() == before


def test_problems_speak_the_language_that_the_request_asks_for(signed_in: Client) -> None:
    rep = signed_in("rep")
    english = rep.post("/v1/hints", json={}, headers={"Accept-Language": "en-GB,zh;q=0.5"}).json()
    chinese = rep.post("/v1/hints", json={}, headers={"Accept-Language": "fr,zh-CN;q=0.9,en;q=0.8"}).json()
    assert english["errors"] == [{"pointer": "/text", "detail": "Field required"}]
    assert chinese["errors"] == [{"pointer": "/text", "detail": "缺少该字段"}]
    assert chinese["title"] == "输入有误"


def test_the_last_word_on_a_suggestion_counts(signed_in: Client, services: Services) -> None:
    rep = signed_in("rep")
    hint_id = rep.post("/v1/hints", json={"text": "你们这个太贵了吧"}).json()["id"]
    for body in (
        {"rank": 1, "action": "used"},
        {"rank": 1, "action": "edited", "edited_text": "您算算，一天不到一块钱"},
    ):
        assert rep.post(f"/v1/hints/{hint_id}/feedback", json=body).status_code == 204
    with services.database.read() as session:
        rows = session.scalars(select(HintFeedback).where(HintFeedback.hint_id == hint_id)).all()
    assert [(row.rank, row.action, row.edited_text) for row in rows] == [(1, "edited", "您算算，一天不到一块钱")]


def test_words_that_arrive_late_do_not_undo_later_ones(signed_in: Client, services: Services) -> None:
    rep = signed_in("rep")
    hint_id = rep.post("/v1/hints", json={"text": "你们这个太贵了吧"}).json()["id"]
    now = services.clock.now()
    for minutes, action in ((1, "used"), (3, "rejected")):
        said_at = (now - timedelta(minutes=minutes)).isoformat()
        body = {"rank": 2, "action": action, "said_at": said_at, "visit_id": "visit-not-yet-recorded"}
        assert rep.post(f"/v1/hints/{hint_id}/feedback", json=body).status_code == 204
    with services.database.read() as session:
        row = session.get_one(HintFeedback, (hint_id, 2))
    assert (row.action, row.visit_id) == ("used", "visit-not-yet-recorded")


def test_a_hint_is_kept_with_what_it_was_chosen_from(signed_in: Client, services: Services) -> None:
    given = signed_in("rep").post("/v1/hints", json={"text": "别人家便宜一半呢"}).json()
    with services.database.read() as session:
        hint = session.get_one(Hint, given["id"])
        chances = session.scalars(select(HintSuggestion.propensity).where(HintSuggestion.hint_id == hint.id)).all()
    assert hint.candidates is not None
    keys = [candidate.key for candidate in unpack_candidates(hint.candidates)]
    assert {item["entry_key"] for item in given["suggestions"]} <= set(keys)
    assert len(keys) <= 64
    assert all(0 < chance <= 1 for chance in chances)


@pytest.mark.parametrize(
    ("said_at", "status"), [("2026-03-01T09:00:00", 422), ("0001-01-01T00:00:00+14:00", 422), ("yesterday", 422)]
)
def test_a_moment_that_nobody_could_mean_is_refused(signed_in: Client, said_at: str, status: int) -> None:
    rep = signed_in("rep")
    hint_id = rep.post("/v1/hints", json={"text": "你们这个太贵了吧"}).json()["id"]
    answer = rep.post(f"/v1/hints/{hint_id}/feedback", json={"rank": 1, "action": "used", "said_at": said_at})
    assert answer.status_code == status
    assert answer.json()["errors"][0]["pointer"] == "/said_at"


def test_the_nightly_job_makes_drafts_of_edited_lines_once(
    signed_in: Client, services: Services, worker: Worker
) -> None:
    rep = signed_in("rep")
    hint = rep.post("/v1/hints", json={"text": "隔壁家便宜三百块你们怎么说"}).json()
    line = "姐，隔壁那款板子薄一半，您拿手敲敲就听得出来"
    body = {"rank": 1, "action": "edited", "edited_text": line}
    assert rep.post(f"/v1/hints/{hint['id']}/feedback", json=body).status_code == 204
    for again in (False, True):
        state = services.jobs.wait(services.jobs.enqueue("hint-drafts", {}, actor="test"), 60)
        assert state.result is not None, state
        assert (state.result["drafts"] == 0) is again
    entry = signed_in("recorder").get(f"/v1/library/hint-{hint['id']}-1/zh").json()
    assert (entry["status"], entry["talk_tracks"]) == ("draft", [line])


def test_feedback_that_cannot_be_is_refused(signed_in: Client) -> None:
    rep = signed_in("rep")
    hint_id = rep.post("/v1/hints", json={"text": "你们这个太贵了吧"}).json()["id"]
    path = f"/v1/hints/{hint_id}/feedback"
    assert rep.post("/v1/hints/unknown/feedback", json={"rank": 1, "action": "used"}).status_code == 404
    assert rep.post(path, json={"rank": 9, "action": "used"}).json()["errors"][0]["pointer"] == "/rank"
    assert rep.post(path, json={"rank": 1, "action": "edited"}).json()["errors"][0]["pointer"] == "/edited_text"
    assert signed_in("recorder").post(path, json={"rank": 1, "action": "used"}).status_code == 404


def test_a_repeated_request_gets_the_first_answer_and_asks_nothing_again(signed_in: Client, services: Services) -> None:
    request = {"json": {"text": "再便宜点嘛"}, "headers": {"Idempotency-Key": "hint-1"}}
    first, second = (signed_in("rep").post("/v1/hints", **request) for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    other = signed_in("rep").post("/v1/hints", json={"text": "太远了"}, headers={"Idempotency-Key": "hint-1"})
    assert other.status_code == 422
    assert other.json()["errors"][0]["pointer"] == "Idempotency-Key"
    # Keys belong to who sends them.
    assert "idempotency-replayed" not in signed_in("recorder").post("/v1/hints", **request).headers


def test_a_failed_request_is_not_kept(signed_in: Client) -> None:
    headers = {"Idempotency-Key": "hint-2"}
    assert signed_in("rep").post("/v1/hints", json={"text": ""}, headers=headers).status_code == 422
    assert (
        signed_in("rep").post("/v1/hints", json={"text": ""}, headers=headers).json()["errors"][0]["pointer"] == "/text"
    )
