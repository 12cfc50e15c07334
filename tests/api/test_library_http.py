"""The library over HTTP: what is published is suggested, what is retired is not."""

from __future__ import annotations

import io
import json

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook

from api.services import Services
from tests.api.conftest import Client
from tests.api.test_plans_http import finished

ENTRY = {
    "key": "no_time-test",
    "language": "zh",
    "kind": "success",
    "status": "published",
    "objection_type": "no_time",
    "title": "边走边说",
    "talk_tracks": ["您忙您的，我陪您走到车站，两句话说完。"],
    "utterances": ["我要去赶地铁三号线末班车哎"],
    "approach": "walk_along",
    "effect": {
        "metric": "contact_rate",
        "n": 41,
        "before": 0.2,
        "after": 0.35,
        "period_start": "2026-03-01",
        "period_end": "2026-03-31",
    },
}


def test_an_entry_lives_from_creation_to_retirement_and_hints_follow(signed_in: Client, services: Services) -> None:
    recorder, question = signed_in("recorder"), {"text": "我要去赶地铁三号线末班车哎"}

    def suggested() -> set[str]:
        services.hint_desk.refresh()
        return {item["entry_key"] for item in recorder.post("/v1/hints", json=question).json()["suggestions"]}

    made = recorder.post("/v1/library", json=ENTRY)
    assert made.status_code == 201
    assert made.headers["location"] == "/v1/library/no_time-test/zh"
    assert "no_time-test" in suggested()
    assert recorder.post("/v1/library", json=ENTRY).status_code == 409

    changed = {key: value for key, value in ENTRY.items() if key not in ("key", "language")} | {"title": "陪您走一段"}
    path = "/v1/library/no_time-test/zh"
    again = recorder.put(path, json=changed, headers={"If-Match": '"1"'})
    assert again.json().get("version") == 2, again.text
    stale = recorder.put(path, json=changed, headers={"If-Match": '"1"'})
    assert (stale.status_code, "version 2" in stale.json()["detail"]) == (409, True)

    assert recorder.delete(path).json()["status"] == "retired"
    # Not even an index that is not rebuilt yet shows a retired line.
    shown = recorder.post("/v1/hints", json=question).json()["suggestions"]
    assert "no_time-test" not in {item["entry_key"] for item in shown}


def test_reps_read_published_entries_only_and_write_none(signed_in: Client) -> None:
    draft = {**ENTRY, "key": "no_time-draft", "status": "draft"}
    assert signed_in("recorder").post("/v1/library", json=draft).status_code == 201
    assert signed_in("rep").get("/v1/library/no_time-draft/zh").status_code == 404
    assert signed_in("recorder").get("/v1/library/no_time-draft/zh").status_code == 200
    assert signed_in("rep").post("/v1/library", json={**ENTRY, "key": "no_time-rep"}).status_code == 403


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"objection_type": "too_green"}, "/objection_type"),
        ({"region": "moon"}, "/region"),
        ({"talk_tracks": []}, "/talk_tracks"),
        ({"valid_from": "2026-05-01", "valid_until": "2026-04-01"}, "/valid_until"),
        ({"effect": {**ENTRY["effect"], "n": 0}}, "/effect/n"),  # type: ignore[dict-item]
        ({"effect": {**ENTRY["effect"], "after": 31}}, "/effect/after"),  # type: ignore[dict-item]
        ({"language": "fr"}, "/language"),
    ],
)
def test_a_wrong_entry_names_its_field(signed_in: Client, change: dict[str, object], pointer: str) -> None:
    answer = signed_in("recorder").post("/v1/library", json={**ENTRY, "key": "wrong-entry", **change})
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert signed_in("recorder").get("/v1/library/wrong-entry/zh").status_code == 404


def imported(signed_in: Client, content: bytes, **parameters: object) -> dict[str, object]:
    answer = signed_in("director").post(
        "/v1/library/import",
        params={"filename": "cases.jsonl", **parameters},
        content=content,
        headers={"Content-Type": "application/octet-stream"},
    )
    return {"status": answer.status_code, **answer.json()}


def test_an_import_is_all_or_nothing_and_can_be_tried_first(signed_in: Client) -> None:
    good = json.dumps({**ENTRY, "key": "no_time-import"}, ensure_ascii=False)
    tried = imported(signed_in, good.encode(), dry_run=True)
    assert (tried["created"], tried["dry_run"]) == (1, True)
    assert signed_in("director").get("/v1/library/no_time-import/zh").status_code == 404

    broken = imported(signed_in, f"{good}\n{{not json}}\n".encode())
    assert broken["status"] == 422
    assert "2" in broken["errors"][0]["pointer"]  # type: ignore[index]
    assert signed_in("director").get("/v1/library/no_time-import/zh").status_code == 404

    assert imported(signed_in, good.encode())["created"] == 1
    assert imported(signed_in, good.encode("gbk"))["unchanged"] == 1


def sent(client: TestClient, content: bytes, prefer: str | None = None, **parameters: object):  # type: ignore[no-untyped-def]
    return client.post(
        "/v1/library/import",
        params={"filename": "cases.jsonl", **parameters},
        content=content,
        headers={"Content-Type": "application/octet-stream", **({"Prefer": prefer} if prefer else {})},
    )


def rows(prefix: str, count: int) -> bytes:
    lines = (json.dumps({**ENTRY, "key": f"{prefix}-{number}", "status": "draft"}) for number in range(count))
    return "\n".join(lines).encode()


@pytest.mark.usefixtures("worker")
def test_an_import_runs_as_a_job_when_asked_and_tells_its_rows(signed_in: Client) -> None:
    recorder = signed_in("recorder")
    answer = sent(recorder, rows("job", 120), "respond-async")
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    state = finished(recorder, answer.json()["id"])
    assert state["result"] == {"created": 120, "updated": 0, "unchanged": 0, "dry_run": False}
    assert state["progress"] == {"read": 120, "checked": 120, "stored": 120, "total": 120}
    # waiting for it gives the answer itself
    again = sent(recorder, rows("job", 120), "respond-async, wait=30")
    assert (again.status_code, again.json()["unchanged"]) == (200, 120)


@pytest.mark.usefixtures("worker")
def test_a_large_import_is_a_job_by_itself_and_its_problems_name_their_cells(
    signed_in: Client, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "settings", services.settings.model_copy(update={"import_at_once_bytes": 500}))
    recorder = signed_in("recorder")
    wrong = rows("large", 3) + b"\n" + json.dumps({**ENTRY, "key": "large-9", "region": "moon"}).encode()
    answer = sent(recorder, wrong, dry_run=True)
    assert answer.status_code == 202
    state = finished(recorder, answer.json()["id"])
    assert state["status"] == "failed"
    assert [error["pointer"] for error in state["problem"]["errors"]] == ["row 4, column region"]  # type: ignore[index]
    assert sent(recorder, b"{", filename="cases.jsonl").status_code == 422
    assert sent(recorder, b"x" * 600, filename="cases.docx").json()["errors"][0]["pointer"] == "file"
    assert sent(signed_in("rep"), rows("large", 9)).status_code == 403


@pytest.mark.usefixtures("worker")
def test_the_same_idempotency_key_makes_one_import(signed_in: Client) -> None:
    headers = {"Content-Type": "application/octet-stream", "Prefer": "respond-async", "Idempotency-Key": "import-1"}
    answers = [
        signed_in("recorder").post(
            "/v1/library/import", params={"filename": "a.jsonl"}, content=rows("once", 2), headers=headers
        )
        for _ in range(2)
    ]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "jsonl"])
def test_what_is_exported_can_be_imported_and_changes_nothing(signed_in: Client, kind: str) -> None:
    director = signed_in("director")
    parameters = {"format": kind, "headings": "zh", "objection_type": "no_time"}
    answer = director.get("/v1/library/export", params=parameters)
    assert answer.status_code == 200
    assert f'.{kind}"' in answer.headers["content-disposition"]
    back = sent(director, answer.content, filename=f"library.{kind}").json()
    assert (back["created"], back["updated"]) == (0, 0)
    assert back["unchanged"] >= 20


def test_an_exported_spreadsheet_has_the_headings_of_the_language(signed_in: Client) -> None:
    for language, first in (("zh", "编号"), ("en", "key")):
        content = signed_in("rep").get("/v1/library/export", params={"format": "xlsx", "headings": language}).content
        sheet = load_workbook(io.BytesIO(content)).active
        assert sheet["A1"].value == first
        states = {row[0].value for row in sheet.iter_rows(min_col=21, max_col=21, min_row=2)}
        assert states == {"published"}, "a rep exports what it may read"
    assert signed_in("rep").get("/v1/library/export", params={"format": "pdf"}).status_code == 422


def decide(client: TestClient, key: str, what: str, body: dict[str, object] | None = None, **headers: str):  # type: ignore[no-untyped-def]
    return client.post(f"/v1/library/{key}/zh/{what}", json=body, headers=headers)


def test_a_reps_draft_is_reviewed_returned_mended_and_published(signed_in: Client) -> None:
    rep, recorder = signed_in("rep"), signed_in("recorder")
    entry = {**ENTRY, "key": "no_time-review", "status": "draft"}
    assert rep.post("/v1/library", json=entry).json()["author"] == rep.get("/v1/me").json()["code"]
    assert decide(rep, "no_time-review", "approve").status_code == 403
    assert decide(recorder, "no_time-review", "approve").status_code == 409
    assert decide(rep, "no_time-review", "submit").json()["status"] == "review"

    assert decide(recorder, "no_time-review", "return", {"reason": ""}).status_code == 422
    returned = decide(recorder, "no_time-review", "return", {"reason": "太短"})
    assert (returned.json()["status"], returned.json()["review"]["reason"]) == ("draft", "太短")
    (own,) = [
        item
        for item in rep.get("/v1/library/review", params={"status": "draft"}).json()["items"]
        if item["entry"]["key"] == "no_time-review"
    ]
    assert own["entry"]["review"]["reason"] == "太短"

    decide(rep, "no_time-review", "submit")
    stale = decide(recorder, "no_time-review", "approve", **{"If-Match": '"1"'})
    assert stale.status_code == 409
    done = decide(recorder, "no_time-review", "approve", **{"Idempotency-Key": "approve-1"})
    assert (done.json()["status"], done.json()["review"]["reason"]) == ("published", None)
    again = decide(recorder, "no_time-review", "approve", **{"Idempotency-Key": "approve-1"})
    assert again.json() == done.json()

    earned = rep.get("/v1/library/credits").json()
    assert earned["reward_per_entry_cny"] == 200
    assert [(item["author"], item["accepted"]) for item in earned["items"]] == [(own["entry"]["author"], 1)]
    assert rep.get("/v1/library/credits", params={"until": "2020-01-01"}).json()["items"] == []


def test_the_queue_shows_near_duplicates_that_can_be_merged(signed_in: Client) -> None:
    recorder = signed_in("recorder")
    words = {"utterances": ["我得赶九点零五的高铁"], "talk_tracks": ["您赶车，我把这张卡片放您包里。"]}
    for key, status in (("no_time-near-1", "published"), ("no_time-near-2", "draft")):
        assert recorder.post("/v1/library", json={**ENTRY, **words, "key": key, "status": status}).status_code == 201
    found, cursor = {}, None
    while True:
        parameters = {"limit": 50, "language": "zh", **({"cursor": cursor} if cursor else {})}
        page = recorder.get("/v1/library/review", params=parameters).json()
        found |= {item["entry"]["key"]: item for item in page["items"]}
        cursor = page["next_cursor"]
        if cursor is None:
            break
    item = found["no_time-near-2"]
    assert item["near"][0]["key"] == "no_time-near-1"
    assert item["near"][0]["similarity"] > 0.99
    assert {finding["code"] for finding in item["findings"]} == {"missing_part"}

    merged = decide(recorder, "no_time-near-2", "merge", {"into": "no_time-near-1"})
    assert merged.status_code == 200, merged.text
    assert merged.json()["merged"]["review"]["merged_into"] == "no_time-near-1"
    assert merged.json()["survivor"]["utterances"] == words["utterances"]
    assert decide(recorder, "no_time-near-2", "merge", {"into": "no_time-near-1"}).status_code == 409
    assert decide(recorder, "no_time-near-1", "merge", {"into": "nothing"}).status_code == 404


@pytest.mark.parametrize(
    "cursor", ["nonsense", "WyIyMDI2IiwgIngiXQ", "WyIyMDI2LTExLTIwVDAwOjAwOjAwIiwgIjk5OTk5OTk5OTk5OTkiXQ"]
)
def test_a_cursor_that_is_none_is_refused(signed_in: Client, cursor: str) -> None:
    answer = signed_in("recorder").get("/v1/library/review", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "query/cursor"


def test_the_whole_library_can_be_paged_through(signed_in: Client) -> None:
    rep, seen, cursor = signed_in("rep"), [], None
    while True:
        parameters = {"language": "zh", "limit": 50, **({"cursor": cursor} if cursor else {})}
        page = rep.get("/v1/library", params=parameters).json()
        seen += [item["key"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) >= 104
