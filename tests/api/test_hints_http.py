"""Hints and feedback over HTTP."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from api.services import Services
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
