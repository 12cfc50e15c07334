"""Reading what people send: encodings, headers, broken rows."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import InvalidInput
from common.text_files import decode, read_csv

CHINESE = "名称,数量\n礼品包,12\n宣传单,300\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_chinese_files_are_read_in_every_usual_encoding(encoding: str) -> None:
    rows = read_csv(CHINESE.encode(encoding), required=["名称", "数量"])
    assert [row.values["名称"] for row in rows] == ["礼品包", "宣传单"]
    assert [row.line for row in rows] == [2, 3]


def test_gzip_is_unpacked_and_broken_gzip_is_named() -> None:
    packed = gzip.compress(CHINESE.encode("gbk"))
    assert read_csv(packed, required=["数量"])[0].values["数量"] == "12"
    with pytest.raises(InvalidInput, match="gzip"):
        read_csv(packed[:-9], required=["数量"])


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(InvalidInput, match="neither"):
        decode(bytes(range(256)))


def test_every_broken_row_is_named_with_its_line() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_csv(b"a,b\n1,2\n1\n\n1,2,3\n", required=["a"])
    assert [field.pointer for field in caught.value.fields] == ["row 3", "row 5"]


def test_missing_and_doubled_columns_are_named() -> None:
    with pytest.raises(InvalidInput, match="lacks the columns quantity"):
        read_csv(b"a,b\n1,2\n", required=["a", "quantity"])
    with pytest.raises(InvalidInput, match="column a twice"):
        read_csv(b"a,a\n1,2\n", required=["a"])


def test_a_file_without_rows_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no rows"):
        read_csv(b"a,b\n\n", required=["a"])


@given(st.binary(max_size=300))
def test_any_bytes_give_rows_or_a_clear_error(content: bytes) -> None:
    try:
        rows = read_csv(content, required=["a"])
    except InvalidInput as error:
        assert error.text.zh  # noqa: PT017
    else:
        assert all("a" in row.values for row in rows)
