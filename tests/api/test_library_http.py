"""The library over HTTP: what is published is suggested, what is retired is not."""

from __future__ import annotations

import json

import pytest

from api.services import Services
from tests.api.conftest import Client

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
