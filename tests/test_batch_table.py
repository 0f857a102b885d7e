"""STUDIES.csv."""

from datetime import datetime
from pathlib import Path

import pytest

from lesionmatch.batch.table import read_studies
from lesionmatch.compare import Options
from lesionmatch.errors import InvalidInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pet").mkdir()
    (tmp_path / "mri").mkdir()
    return tmp_path


def table(folder: Path, text: str) -> Path:
    path = folder / "STUDIES.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_has_its_paths_beside_the_table_and_carries_other_columns(folder: Path) -> None:
    text = "study_id,patient_id,pet,mri,weight_kg,site\nS1,P1,pet,mri,71.5,Nord\n"
    (row,) = read_studies(table(folder, text))
    assert row.pet == folder / "pet"
    assert row.given == {"weight_kg": 71.5}
    assert row.carried == {"site": "Nord"}


def test_options_that_r_and_pandas_write_as_missing_are_not_given(folder: Path) -> None:
    text = (
        "study_id,patient_id,pet,mri,weight_kg,sex,lesions,injected_at,site\n"
        "S1,P1,pet,mri,NA,NaN,NA,NaT,NA\n"
    )
    (row,) = read_studies(table(folder, text))
    assert (row.given, row.carried) == ({}, {"site": "NA"})


def test_what_a_row_gives_goes_before_what_is_given_for_all(folder: Path) -> None:
    (folder / "place.tfm").touch()
    text = (
        "study_id,patient_id,pet,mri,registration,sex,dose_mbq,injected_at,height_m,liver\n"
        "S1,P1,pet,mri,place.tfm,f,140,2025-01-31T09:30,,\n"
        "S2,P1,pet,mri,rigid,,,,,pet\n"
    )
    common = Options(dose_mbq=99.0, height_m=1.7)
    one, two = (row.options(common) for row in read_studies(table(folder, text)))
    assert one.registration == str(folder / "place.tfm")
    assert (one.sex, one.dose_mbq, one.height_m) == ("F", 140.0, 1.7)
    assert one.injected_at == datetime(2025, 1, 31, 9, 30)
    assert (two.registration, two.liver, two.dose_mbq) == ("rigid", folder / "pet", 99.0)


def test_paths_of_a_row_are_known_and_a_method_s_name_is_none(folder: Path) -> None:
    text = "study_id,patient_id,pet,mri,registration,lesions\nS1,P1,pet,mri,affine,mri\n"
    (row,) = read_studies(table(folder, text))
    assert set(row.paths) == {"pet", "mri", "lesions"}
    assert row.paths["lesions"] == str(folder / "mri")


def test_a_spreadsheet_s_byte_order_mark_is_no_part_of_a_column(folder: Path) -> None:
    rows = read_studies(table(folder, "\ufeffstudy_id,patient_id,pet,mri\nS1,P1,pet,mri\n"))
    assert rows[0].study_id == "S1"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("study_id,pet,mri\nS1,pet,mri\n", "got no patient_id"),
        ("study_id,patient_id,pet,mri,pet\nS1,P1,pet,mri,pet\n", "got pet again"),
        ("study_id,patient_id,pet,mri,cell\nS1,P1,pet,mri,TP\n", "got cell; rename"),
        ("study_id,patient_id,pet,mri,label\nS1,P1,pet,mri,a\n", "got label; rename"),
        ("study_id,patient_id,pet,mri\n", "wanted a row for each study, got none"),
        ("study_id,patient_id,pet,mri\n../S1,P1,pet,mri\n", "names a folder"),
        ("study_id,patient_id,pet,mri\nS1,,pet,mri\n", "patient_id: wanted a value"),
        ("study_id,patient_id,pet,mri\nS1,NA,pet,mri\n", "patient_id: wanted a value"),
        ("study_id,patient_id,pet,mri\nNA,P1,pet,mri\n", "study_id: wanted a value"),
        ("study_id,patient_id,pet,mri\nS1,P1,NA,mri\n", "pet: wanted a value, got nothing"),
        ("study_id,patient_id,pet,mri\nS1,P1,nowhere,mri\n", "line 2: pet: wanted a path"),
        ("study_id,patient_id,pet,mri\nS1,P1," + "x" * 300 + ",mri\n", "File name too long"),
        ("study_id,patient_id,pet,mri\nS1,P1,pet\n", "line 2: wanted a cell for mri"),
        ("study_id,patient_id,pet,mri\nS1,P1,pet,mri,more\n", "check commas and quotes"),
        ("study_id,patient_id,pet,mri,weight_kg\nS1,P1,pet,mri,heavy\n", "weight_kg: wanted a num"),
        ("study_id,patient_id,pet,mri,sex\nS1,P1,pet,mri,w\n", "sex: wanted M or F, got 'w'"),
        ("study_id,patient_id,pet,mri,injected_at\nS1,P1,pet,mri,9:30\n", "a day and a time"),
        ("study_id,patient_id,pet,mri,registration\nS1,P1,pet,mri,best\n", "wanted a path"),
        ("study_id,patient_id,pet,mri\nS1,P1,pet,mri\ns1,P1,pet,mri\n", "wanted once, got 2"),
    ],
)
def test_a_faulty_table_is_refused(folder: Path, text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read_studies(table(folder, text))


def test_every_fault_is_named_at_once(folder: Path) -> None:
    text = "study_id,patient_id,pet,mri\nS1,P1,nowhere,mri\nS2,,pet,mri\n"
    with pytest.raises(InvalidInput, match=r"line 2: .*; line 3: "):
        read_studies(table(folder, text))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b'study_id,patient_id,pet,mri\n"S1,P1'])
def test_what_is_no_table_is_refused(folder: Path, content: bytes) -> None:
    path = folder / "STUDIES.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match="wanted a CSV table"):
        read_studies(path)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="check the path"):
        read_studies(tmp_path / "STUDIES.csv")
