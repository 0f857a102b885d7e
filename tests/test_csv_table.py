"""Tables as people and their spreadsheets save them."""

from pathlib import Path

import pytest

from lesionmatch.csv_table import CsvTable, inert, needed, read_table, require_no
from lesionmatch.errors import InvalidInput

PLAIN = "id,size,note\nA,12.5,first\nB,7,\n"


def read(folder: Path, content: str | bytes, *optional: str) -> CsvTable:
    path = folder / "t.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(path, ("id", "size"), optional=optional)


@pytest.mark.parametrize(
    "content",
    [
        PLAIN,
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        PLAIN.replace(",", ";").replace("12.5", "12,5"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "\t").encode("utf-16"),
        "\n" + PLAIN.replace("first", " first ") + "\n\n",
        PLAIN.replace("\n", ",,\n") + ",,,,\n , ,\n",
        "ID, Size ,note\nA,12.5,first\nB,7\n",
        ',id,size,note\n0,A,12.5,first\n7,B,7,\n',
        '"","id","size","note"\n"1","A",12.5,"first"\n"2","B",7,NA\n',
    ],
    ids=[
        "plain", "mark", "crlf", "cr", "semicolons", "tabs", "utf16", "blank lines",
        "empty columns and rows", "capitals, and a row that ends early",
        "pandas", "R",
    ],
)  # fmt: skip
def test_a_table_is_the_same_however_it_was_saved(tmp_path: Path, content: str | bytes) -> None:
    table = read(tmp_path, content, "note")
    assert table.columns == ("id", "size", "note")
    assert [dict(record) for _, record in table.records] == [
        {"id": "A", "size": "12.5", "note": "first"},
        {"id": "B", "size": "7", "note": ""},
    ]


@pytest.mark.parametrize(("faults", "more"), [(10, ""), (13, "; and 3 more")])
def test_ten_faults_are_named_and_the_rest_counted(faults: int, more: str) -> None:
    named = "; ".join(f"line {n}" for n in range(10))
    with pytest.raises(InvalidInput, match=f"^t.csv: {named}{more}$"):
        require_no([f"line {n}" for n in range(faults)], "t.csv")


@pytest.mark.parametrize("word", ["NA", "N/A", "n/a", "NaN", "nan", "NaT", "<NA>", "#N/A", "NULL"])
def test_what_is_written_for_a_missing_value_is_empty_where_the_column_is_known(
    tmp_path: Path, word: str
) -> None:
    table = read(tmp_path, f"id,size,note,group\nA,{word},{word},{word}\n", "note")
    assert dict(table.records[0][1]) == {"id": "A", "size": "", "note": "", "group": word}


@pytest.mark.parametrize("word", ["Nathan", "none", "0", "-", "NAB"])
def test_other_words_are_no_missing_value(tmp_path: Path, word: str) -> None:
    assert read(tmp_path, f"id,size\nA,{word}\n").records[0][1]["size"] == word


def test_a_cell_that_must_hold_something_is_asked_for_by_name(tmp_path: Path) -> None:
    record = read(tmp_path, "id,size\nNA,1\n").records[0][1]
    assert needed("size", record) == "1"
    with pytest.raises(ValueError, match=r"^id: wanted a value, got nothing \(so are NA"):
        needed("id", record)


def test_a_line_is_named_as_an_editor_counts_it(tmp_path: Path) -> None:
    table = read(tmp_path, 'id,size\n\nA,1\n"B",2\n')
    assert [line for line, _ in table.records] == [3, 4]


def test_a_comma_is_decimal_only_between_semicolons(tmp_path: Path) -> None:
    table = read(tmp_path, 'id,size\nA,"1,234"\n')
    assert table.records[0][1]["size"] == "1,234"


def test_only_known_names_are_known_in_capitals(tmp_path: Path) -> None:
    assert read(tmp_path, "ID,size,Date Seen,Site\nA,1,,x\n", "date_seen").columns == (
        "id", "size", "date_seen", "Site",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("id,size,note\nA,12,5,first\n", "line 2: wanted cells below a heading only"),
        (",id,size\n1,A,12\n1,B,5\n", "line 2: wanted cells below a heading only"),
        (",id,size\nx,A,12\n", "line 2: wanted cells below a heading only"),
        ("id,size,\nA,12,5\n", "line 2: wanted cells below a heading only"),
        ("id,note,size\nA,first\n", "line 2: wanted a cell for size, got a row that ends before"),
        ("id,size,Size\nA,1,2\n", "wanted each column once, got size again"),
        ("id,note\nA,1\n", "wanted columns id, size, got no size"),
        ("", "wanted columns id, size, got no id, size"),
        ("id,size\nMü,1\n".encode("cp1252"), "save it as CSV UTF-8"),
        ('id,size\n"A,1\n', "unexpected end of data"),
    ],
)
def test_what_would_be_misread_is_refused(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read(tmp_path, content)


@pytest.mark.parametrize("text", ["=1+1", "+x", "-x", "@x", "\tx"])
def test_a_text_that_a_spreadsheet_would_run_comes_back_as_it_was(
    tmp_path: Path, text: str
) -> None:
    assert inert(text) == f"'{text}"
    table = read(tmp_path, f'id,size\nA,"{inert(text)}"\n')
    assert table.records[0][1]["size"] == text


@pytest.mark.parametrize("number", ["-5", "+5", "-0.25"])
def test_a_number_keeps_its_sign(number: str) -> None:
    assert inert(number) == number
