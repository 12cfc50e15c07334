"""Library files: what goes out comes back, and what is wrong is named by row and column."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach import library_files
from coach.entry import STATUSES, Effect, LibraryEntry
from coach.library_columns import CHINESE_NAMES, column_of
from coach.library_files import COLUMNS, read_library, shipped_entries, write_csv, write_jsonl, write_xlsx
from coach.library_xlsx import MAX_UNPACKED_BYTES
from coach.objections import objection_types
from common.errors import InvalidInput

_line = st.text(st.characters(blacklist_categories=("C", "Z"), whitelist_characters=" |\\"), min_size=1, max_size=30)
_words = _line.map(lambda text: " ".join(text.split())).filter(bool)
# what tables could take for something else: formulas, quotes, line ends, characters that XML does not hold
_awkward = st.text("=+-@'\"|\\#N/A_x000D ,;\t\n\r\uffff\ufffe价", max_size=30).map(str.strip)
# items of lists that could be taken for several, or for a part of their separator
_item = _words | st.text("a|\\ ", min_size=1, max_size=8).map(str.strip).filter(bool)
_days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
_share = st.floats(0, 1)


@st.composite
def entries(draw: st.DrawFn) -> LibraryEntry:
    start = draw(_days)
    effect = Effect("conversion_rate", draw(st.integers(1, 10**6)), draw(_share), draw(_share), start, start)
    return LibraryEntry(
        key=draw(st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)),
        language=draw(st.sampled_from(["zh", "en"])),
        kind=draw(st.sampled_from(["success", "failure", "tool"])),
        objection_type=draw(st.sampled_from(sorted(objection_types()))),
        title=draw(_words),
        background=draw(_words | _awkward),
        steps=tuple(draw(st.lists(_item, max_size=3))),
        talk_tracks=tuple(draw(st.lists(_item, min_size=1, max_size=3))),
        utterances=tuple(draw(st.lists(_item, max_size=4))),
        effect=draw(st.sampled_from([None, effect])),
        scenes=tuple(draw(st.lists(st.sampled_from(["mall", "fair"]), max_size=2))),
        region=draw(st.none() | _words),
        status=draw(st.sampled_from(STATUSES)),
        valid_from=start,
        valid_until=start + timedelta(days=30),
        author=draw(st.none() | _words),
    )


@pytest.mark.parametrize(
    ("write", "filename"),
    [
        (write_jsonl, "x.jsonl"),
        (write_csv, "x.csv"),
        (write_xlsx, "x.xlsx"),
        (lambda entries: write_csv(entries, headings="zh"), "x.csv"),
        (lambda entries: write_xlsx(entries, headings="zh"), "x.xlsx"),
    ],
)
@settings(deadline=None, max_examples=60)
@given(st.lists(entries(), min_size=1, max_size=4, unique_by=lambda entry: entry.natural_key))
def test_what_is_written_is_read_back(
    write: Callable[[list[LibraryEntry]], bytes], filename: str, written: list[LibraryEntry]
) -> None:
    reading = read_library(write(written), filename)
    assert reading.problems == []
    assert reading.entries == written


def test_the_shipped_library_survives_csv_in_gbk() -> None:
    shipped = list(shipped_entries())
    content = write_csv(shipped).decode("utf-8-sig").encode("gb18030")
    assert read_library(content, "library.csv").entries == shipped


HAND_MADE = {
    "编号": "a-1",
    "语言": "中文",
    "类别": "成功",
    "异议类型": "价格太贵",
    "标题": "题",
    "话术1": "您忙",
    "话术 2": "我陪您走",
    "场景": "mall、fair",
    "效果指标": "conversion_rate",
    "样本数": "64",
    "改进前": "18%",
    "改进后": "0.31",
    "统计开始": "2026/3/8",
    "统计结束": "2026年4月30日",
    "状态": "已发布",
    "有效期结束": "2026-12-31",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_hand_made_chinese_table_is_read_in_every_encoding_and_with_every_separator(encoding: str, mark: str) -> None:
    content = "\r\n".join(mark.join(cells) for cells in (HAND_MADE, HAND_MADE.values())).encode(encoding)
    reading = read_library(content, "x.csv")
    assert reading.problems == []
    (entry,) = reading.entries
    assert (entry.language, entry.kind, entry.objection_type) == ("zh", "success", "price_too_high")
    assert (entry.status, entry.valid_until) == ("published", date(2026, 12, 31))
    assert entry.talk_tracks == ("您忙", "我陪您走")
    assert entry.scenes == ("mall", "fair")
    assert entry.effect == Effect("conversion_rate", 64, 0.18, 0.31, date(2026, 3, 8), date(2026, 4, 30))


def test_a_cell_of_a_chinese_table_is_named_by_its_own_heading() -> None:
    wrong = HAND_MADE | {"语言": "法语", "话术 2": "长" * 4001, "样本数": "很多", "颜色": "红"}
    content = "\n".join(",".join(cells) for cells in (wrong, wrong.values())).encode()
    assert {problem.pointer for problem in read_library(content, "x.csv").problems} == {
        "row 1, column 颜色",
        "row 2, column 语言",
        "row 2, column 话术 2",
        "row 2, column 样本数",
    }


def test_every_wrong_row_is_told_and_none_hides_another() -> None:
    rows = [
        "key,language,kind,title",
        "a,fr,tool,t",
        "b,zh,tool,t,more",
        "",
        "c,zh,tool,",
        "d,zh,tool,t",
        "d,zh,tool,t",
    ]
    reading = read_library("\n".join(rows).encode(), "x.csv")
    assert [problem.pointer for problem in reading.problems] == [
        "row 2, column language",
        "row 3, column E",
        "row 5, column title",
        "row 7, column key",
    ]
    assert (reading.rows, [entry.key for entry in reading.entries]) == (5, ["d"])
    lines = b'{"key": "a", "language": "zh", "kind": "tool", "title": "t"}\n{broken\n[1]\n'
    assert [p.pointer for p in read_library(lines, "x.jsonl").problems] == ["row 2", "row 3"]


def test_problems_beyond_the_most_that_are_told_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_files, "MAX_PROBLEMS", 3)
    reading = read_library(b"{\n" * 10, "x.jsonl")
    with pytest.raises(InvalidInput, match=r"\+7") as caught:
        reading.require_sound()
    assert len(caught.value.fields) == 3


def test_reading_tells_how_far_it_is(entry_of: Callable[..., LibraryEntry]) -> None:
    told: list[int] = []
    read_library(write_csv([entry_of("no_time-01"), entry_of("no_time-02")]), "x.csv", on_row=told.append)
    assert told == [1, 2]


def test_a_list_longer_than_a_cell_goes_on_in_the_next_column(entry_of: Callable[..., LibraryEntry]) -> None:
    entry = entry_of(utterances=tuple(f"{number}" + "贵" * 490 for number in range(300)))
    for content, name in ((write_xlsx([entry]), "x.xlsx"), (write_csv([entry]), "x.csv")):
        assert read_library(content, name).entries == [entry]
    assert b",utterances,utterances_2," in write_csv([entry])


def test_no_text_of_an_exported_table_can_be_run_as_a_formula(entry_of: Callable[..., LibraryEntry]) -> None:
    entry = entry_of(title="=1+1", background="-2 块", talk_tracks=("@SUM(A1)",), author="'=a")
    (_, row) = csv.reader(io.StringIO(write_csv([entry]).decode("utf-8-sig")))
    assert not [cell for cell in row if cell.startswith(("=", "-", "@", "+"))]
    assert read_library(write_csv([entry]), "x.csv").entries == [entry]


def test_a_packed_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = gzip.compress(b"\0" * (MAX_UNPACKED_BYTES + 10))
    for content in (bomb, gzip.compress(bomb)):
        (problem,) = read_library(content, "x.csv.gz").problems
        assert "64 MB" in problem.text.en


def test_a_file_packed_in_several_pieces_is_read_whole(entry_of: Callable[..., LibraryEntry]) -> None:
    first, second = entry_of("no_time-01"), entry_of("no_time-02")
    packed = gzip.compress(write_jsonl([first])) + gzip.compress(write_jsonl([second]))
    assert read_library(packed, "x.jsonl.gz").entries == [first, second]
    assert read_library(packed[:-9], "x.jsonl.gz").problems


def test_headings_of_both_languages_name_each_column_once() -> None:
    assert [column_of(CHINESE_NAMES[name]) for name in COLUMNS] == [(name, 1) for name in COLUMNS]
    assert column_of("Effect N") == ("effect_n", 1)
    assert column_of("title2") is None


def _csv(**cells: str) -> bytes:
    row = {"key": "a-1", "language": "zh", "kind": "success", "title": "题", "objection_type": "no_time"} | cells
    return (",".join(COLUMNS) + "\n" + ",".join(row.get(name, "") for name in COLUMNS) + "\n").encode()


@pytest.mark.parametrize(
    ("cells", "pointer"),
    [
        ({"language": "fr"}, "row 2, column language"),
        ({"objection_type": "unheard_of"}, "row 2, column objection_type"),
        ({"effect_n": "many"}, "row 2, column effect_n"),
        ({"valid_from": "next week"}, "row 2, column valid_from"),
        ({"scenes": "mall | Not A Code"}, "row 2, column scenes"),
        ({"status": "published"}, "row 2, column talk_tracks"),
    ],
)
def test_a_wrong_cell_is_named_by_row_and_column(cells: dict[str, str], pointer: str) -> None:
    figures = {
        "effect_metric": "conversion_rate",
        "effect_n": "5",
        "effect_before": "0.1",
        "effect_after": "0.2",
        "effect_period_start": "2025-03-01",
        "effect_period_end": "2025-04-01",
    }
    reading = read_library(_csv(**(figures | cells)), "x.csv")
    assert [problem.pointer for problem in reading.problems] == [pointer]
    assert reading.entries == []


def test_a_sound_row_beside_a_broken_one_is_kept(entry_of: Callable[..., LibraryEntry]) -> None:
    sound = entry_of()
    content = write_jsonl([sound]) + b'{"key": "b", "language": "zh", "kind": "success", "title": 5}\n'
    reading = read_library(content, "x.jsonl")
    assert reading.entries == [sound]
    assert {problem.pointer for problem in reading.problems} == {
        "row 2, column title",
        "row 2, column objection_type",
    }


def test_an_entry_that_stands_twice_is_named(entry_of: Callable[..., LibraryEntry]) -> None:
    reading = read_library(write_jsonl([entry_of(), entry_of()]), "x.jsonl")
    assert [problem.pointer for problem in reading.problems] == ["row 2, column key"]


def test_an_unknown_field_is_named() -> None:
    content = b'{"key": "a", "language": "zh", "kind": "tool", "title": "t", "colour": "red"}'
    assert [p.pointer for p in read_library(content, "x.jsonl").problems] == ["row 1, column colour"]


@pytest.mark.parametrize(
    ("content", "filename"),
    [
        (b"", "x.csv"),
        (b"key,language\n", "x.csv"),
        (b"not json", "x.jsonl"),
        (b"[1]", "x.jsonl"),
        (b"[" * 100_000, "x.jsonl"),
        (b"a: [", "x.yaml"),
        (b"entries: 3", "x.yaml"),
        (b"entries: [1]", "x.yaml"),
        (b"entries: [{key: a, zh: 3}]", "x.yaml"),
        (b"\xff\xfe\x00", "x.yaml"),
        (b"anything", "x.docx"),
        (b"anything", "x.xlsx"),
        (b"key,language,kind,title,title\na,zh,tool,t,t\n", "x.csv"),
    ],
)
def test_a_broken_file_is_a_problem_and_not_a_failure(content: bytes, filename: str) -> None:
    reading = read_library(content, filename)
    assert reading.entries == []
    assert reading.problems


@given(st.binary(max_size=200), st.sampled_from(["x.csv", "x.jsonl", "x.yaml", "x.csv.gz", "x.xlsx"]))
def test_any_bytes_are_read_without_failing(content: bytes, filename: str) -> None:
    read_library(content, filename)


def test_the_shipped_library_covers_every_type_in_both_languages() -> None:
    found: dict[tuple[str, str, str], int] = {}
    for entry in shipped_entries():
        place: Any = (entry.objection_type, entry.language, entry.kind)
        found[place] = found.get(place, 0) + 1
        if entry.kind == "success":
            assert len(entry.utterances) >= 6, entry.natural_key
    for code in objection_types():
        for language in ("zh", "en"):
            assert found[code, language, "success"] >= 3, (code, language)
            assert found[code, language, "failure"] >= 1, (code, language)
