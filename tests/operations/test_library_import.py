"""Importing files of entries: all or nothing, every reason by row and column, the same again changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from coach.entry import LibraryEntry
from coach.library_files import write_csv, write_jsonl, write_xlsx
from common.clock import FixedClock
from common.errors import Forbidden, InvalidInput, NotFound
from operations import library, library_import
from operations.access import Actor
from operations.library_import import ImportProgress, ImportStopped, ImportWatch, LibraryFile, import_file
from operations.library_upsert import ImportReport
from operations.store import schema
from operations.store.database import Database
from operations.store.tables import LibraryEntryRow, LibraryImport, Region
from tests.coach.test_library_files import entries

Actors = dict[str, Actor]
SYSTEM = Actor.system("test")


def row(key: str = "no_time-61", **changes: Any) -> dict[str, Any]:
    return {"key": key, "language": "zh", "kind": "success", "objection_type": "no_time", "title": "题"} | changes


def lines(*rows: dict[str, Any]) -> LibraryFile:
    return LibraryFile("".join(json.dumps(each) + "\n" for each in rows).encode(), "cases.jsonl")


def table(*rows: dict[str, Any]) -> LibraryFile:
    columns = list(dict.fromkeys(name for each in rows for name in each))
    text = "\n".join(",".join(cells) for cells in (columns, *([each.get(c, "") for c in columns] for each in rows)))
    return LibraryFile(text.encode("gbk"), "cases.csv")


def held(database: Database) -> dict[str, LibraryEntry]:
    with database.read() as session:
        return {entry.key: entry for entry in library.readable(session, SYSTEM)}


@pytest.fixture(scope="module")
def shared_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('import') / 'fieldwise.db'}")
    schema.upgrade(database)
    yield database
    database.close()


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(entries(), min_size=1, max_size=4, unique_by=lambda entry: entry.natural_key))
def test_what_is_exported_and_imported_again_changes_nothing(
    shared_database: Database, written: list[LibraryEntry]
) -> None:
    with shared_database.write("test") as session:
        session.query(LibraryEntryRow).delete()
        regions = {entry.region for entry in written} - {None} - set(session.scalars(select(Region.code)))
        session.add_all(Region(code=code, name_zh="x", name_en="x", latitude=30, longitude=104) for code in regions)
        session.flush()
        library.import_entries(session, SYSTEM, written)
    with shared_database.read() as session:
        out = library.readable(session, SYSTEM)
    assert sorted(out, key=lambda e: e.natural_key) == sorted(written, key=lambda e: e.natural_key)
    for name, write in (("x.csv", write_csv), ("x.xlsx", write_xlsx), ("x.jsonl", write_jsonl)):
        for dry_run in (True, False):
            report = import_file(shared_database, SYSTEM, LibraryFile(write(out), name), dry_run=dry_run)
            assert report == ImportReport(0, 0, len(out), dry_run)


def test_an_import_creates_and_updates_by_key_and_language_and_can_be_tried_first(organisation: Database) -> None:
    first = lines(row(), row(language="en"))
    tried = import_file(organisation, SYSTEM, first, dry_run=True)
    assert (tried, held(organisation)) == (ImportReport(2, 0, 0, True), {})
    assert import_file(organisation, SYSTEM, first) == ImportReport(2, 0, 0, False)
    again = lines(row(title="新题"), row(language="en"), row("no_time-62"))
    assert import_file(organisation, SYSTEM, again, dry_run=True) == ImportReport(1, 1, 1, True)
    assert import_file(organisation, SYSTEM, again) == ImportReport(1, 1, 1, False)
    with organisation.read() as session:
        found = library.entry(session, SYSTEM, "no_time-61", "zh")
    assert (found.entry.title, found.version) == ("新题", 2)


def test_every_reason_is_told_by_row_and_column_and_nothing_is_stored(organisation: Database) -> None:
    with pytest.raises(InvalidInput) as read_wrong:
        import_file(organisation, SYSTEM, table(row(language="fr"), row("no_time-62"), row("B 2")))
    assert [problem.pointer for problem in read_wrong.value.fields] == ["row 2, column language", "row 4, column key"]
    unknown = table({"编号": "a-1", "语言": "zh", "类别": "tool", "标题": "题", "区域": "moon"})
    with pytest.raises(InvalidInput) as stored_wrong:
        import_file(organisation, SYSTEM, unknown)
    assert [problem.pointer for problem in stored_wrong.value.fields] == ["row 2, column 区域"]
    assert held(organisation) == {}


def test_rows_of_another_region_and_states_that_cannot_follow_are_named(organisation: Database, actors: Actors) -> None:
    import_file(organisation, SYSTEM, lines(row(region="jinniu"), row("no_time-62", status="retired")))
    file = lines(
        row(title="taken"),
        row("no_time-62", status="published", talk_tracks=["好"]),
        row("no_time-63", region="jinniu"),
    )
    with pytest.raises(InvalidInput) as caught:
        import_file(organisation, actors["recorder"], file)
    told = {problem.pointer: problem.text.en for problem in caught.value.fields}
    assert set(told) == {"row 1, column region", "row 2, column status", "row 3, column region"}
    assert "retired" in told["row 2, column status"]
    for who in ("rep-1", "logistics"):
        with pytest.raises(Forbidden):
            import_file(organisation, actors[who], lines(row("no_time-64")), dry_run=True)


def test_a_file_that_names_no_state_and_no_author_leaves_those_of_stored_entries(organisation: Database) -> None:
    import_file(organisation, SYSTEM, lines(row(status="published", talk_tracks=["您忙。"], author="rep-1")))
    import_file(organisation, SYSTEM, lines(row(title="新题", talk_tracks=["您忙。"]), row("no_time-62")))
    found = held(organisation)
    assert (found["no_time-61"].status, found["no_time-61"].author) == ("published", "rep-1")
    assert found["no_time-61"].title == "新题"
    assert found["no_time-62"].status == "draft"
    # a published case must keep a line to send
    with pytest.raises(InvalidInput) as caught:
        import_file(organisation, SYSTEM, lines(row()))
    assert [problem.pointer for problem in caught.value.fields] == ["row 1, column talk_tracks"]


def test_the_progress_tells_rows_read_checked_and_stored(organisation: Database) -> None:
    told: list[ImportProgress] = []
    file = lines(*(row(f"no_time-{number}") for number in range(120)))
    import_file(organisation, SYSTEM, file, watch=ImportWatch(told.append))
    assert told[0] == ImportProgress(read=50)
    assert told[-1] == ImportProgress(120, 120, 120, 120)
    for name in ("read", "checked", "stored"):
        counts = [getattr(progress, name) for progress in told]
        assert counts == sorted(counts)


@pytest.mark.parametrize("after", [0, 2, 4])
def test_an_import_that_is_stopped_stores_nothing(organisation: Database, after: int) -> None:
    told: list[ImportProgress] = []
    watch = ImportWatch(told.append, lambda: len(told) > after)
    with pytest.raises(ImportStopped):
        import_file(organisation, SYSTEM, lines(*(row(f"no_time-{number}") for number in range(120))), watch=watch)
    assert held(organisation) == {}


def kept(database: Database, file: LibraryFile, job_id: str = "job-1", actor: Actor = SYSTEM) -> str:
    with database.write(actor.code) as session:
        library_import.keep_file(session, actor, job_id, file)
    return job_id


def test_a_job_that_runs_again_finds_its_own_report(organisation: Database) -> None:
    job_id = kept(organisation, lines(row(), row("no_time-62")))
    kept(organisation, lines(row("other")), job_id)
    first = library_import.import_kept_file(organisation, SYSTEM, job_id)
    again = library_import.import_kept_file(organisation, SYSTEM, job_id)
    assert first == again == ImportReport(2, 0, 0, False)
    assert set(held(organisation)) == {"no_time-61", "no_time-62"}
    with pytest.raises(NotFound):
        library_import.import_kept_file(organisation, SYSTEM, "job-2")


def test_a_kept_file_is_dropped_when_its_job_has_ended_and_forgotten_later(
    organisation: Database, actors: Actors, clock: FixedClock
) -> None:
    job_id = kept(organisation, lines(row()))
    library_import.drop_file(organisation, job_id)
    with organisation.read() as session:
        waiting = session.get_one(LibraryImport, job_id)
    assert (waiting.content, waiting.finished_at) == (None, clock.now())
    with pytest.raises(NotFound, match="gone"):
        library_import.import_kept_file(organisation, SYSTEM, job_id)
    clock.advance(timedelta(days=31))
    kept(organisation, lines(row()), "job-2")
    with organisation.write("test") as session:
        assert library_import.forget_old(session) == 1
    with pytest.raises(Forbidden):
        kept(organisation, lines(row()), "job-3", actors["rep-1"])


def test_an_import_is_the_same_on_both_databases(each_database: Database) -> None:
    effect = {"metric": "n", "n": 3, "before": 0.1, "after": 1 / 3, "period_start": "2026-03-01"}
    many = [
        row(f"no_time-{number}", effect=effect | {"period_end": "2026-04-01"}, utterances=["a", "b"])
        for number in range(230)
    ]
    assert import_file(each_database, SYSTEM, lines(*many)) == ImportReport(230, 0, 0, False)
    out = list(held(each_database).values())
    assert import_file(each_database, SYSTEM, LibraryFile(write_xlsx(out), "x.xlsx")) == ImportReport(0, 0, 230, False)
    changed = [each | {"utterances": ["b"], "valid_until": str(date(2027, 1, 1))} for each in many]
    assert import_file(each_database, SYSTEM, lines(*changed)) == ImportReport(0, 230, 0, False)
    assert held(each_database)["no_time-7"].utterances == ("b",)
