"""Tables of calls and lesions as the accuracy verb reads them."""

from pathlib import Path

import pytest

from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.evaluation.reading import read_calls
from tests.accuracy_tables import (
    NO,
    YES,
    batch,
    calls_csv,
    lesion,
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("study_id,patient_id,pet\n", "wanted columns study_id, patient_id, pet, mri, got no mri"),
        ("study_id,patient_id,pet,mri\n", "wanted at least one row, got none"),
        (
            "study_id,patient_id,pet,mri\nS,P,yes,involved\n",
            "line 2: pet: wanted one of involved, not_involved, uncertain, nothing, got 'yes'",
        ),
        ("study_id,patient_id,pet,mri\nS,,involved,involved\n", "line 2: patient_id: wanted a val"),
        (
            "study_id,patient_id,pet,mri\nS,P,involved,involved\nS,P,involved,involved\n",
            "wanted each study_id once, got S again",
        ),
        (
            "study_id,patient_id,pet,mri,study_date\nS,P,involved,involved,1.2.2020\n",
            "line 2: study_date: wanted a date as 2021-05-31, got '1.2.2020'",
        ),
        (
            "study_id,patient_id,pet,mri,is_doubtful\nS,P,involved,involved,WAHR\n",
            "is_doubtful: wanted one of true, false, nothing, got 'WAHR'",
        ),
        (
            "study_id,patient_id,pet,mri,doubtful_for\nS,P,involved,involved,liver;me\n",
            "line 2: doubtful_for: wanted registration or liver, got 'me'",
        ),
        ("study_id,patient_id,pet,mri\nS,NA,involved,involved\n", "patient_id: wanted a value"),
        ('study_id,patient_id,pet,mri\n"S', "wanted a CSV table in UTF-8, got unexpected end"),
    ],
)
def test_a_calls_table_that_cannot_be_read_is_refused(
    tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "calls.csv").write_text(content)
    with pytest.raises(InvalidInput, match=message):
        read_calls(tmp_path / "calls.csv")


def test_a_spreadsheets_table_is_read_as_it_is_saved(tmp_path: Path) -> None:
    text = (
        "\ufeffStudy ID;patient_id;PET;mri;is_doubtful;site\nS;P;Involved;Not involved;TRUE;A, B\n"
    )
    (tmp_path / "calls.csv").write_text(text, encoding="utf-8")
    (study,) = read_calls(tmp_path / "calls.csv").studies
    assert (study.pet, study.mri, study.other) == (YES, NO, {"site": "A, B"})
    assert study.is_doubtful


def test_what_r_writes_for_missing_is_no_call_and_stays_a_stratum(tmp_path: Path) -> None:
    text = "study_id,patient_id,pet,mri,reason,study_date,site\nS,P,NA,involved,NA,NA,NA\n"
    (tmp_path / "calls.csv").write_text(text)
    (study,) = read_calls(tmp_path / "calls.csv").studies
    assert (study.pet, study.reason, study.study_date) == (None, "", None)
    assert study.other == {"site": "NA"}


def test_all_faults_of_a_table_are_named_at_once(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "calls.csv", [("yes", "no")] * 12)
    with pytest.raises(InvalidInput, match=r"line 2: .*; line 11: .*; and 2 more$"):
        read_calls(calls)


def test_a_folder_that_is_no_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match=r"wanted calls\.csv in the folder of a batch, got none"):
        read_calls(tmp_path)
    with pytest.raises(InvalidInput, match=r"got No such file or directory"):
        read_calls(tmp_path / "none.csv")


def test_lesions_of_studies_that_were_taken_out_and_lesions_twice_are_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(InvalidInput, match="got some of S1; a study is taken out of both tables"):
        read_calls(batch(tmp_path / "one", [(YES, YES)], [lesion(0), lesion(1)]))
    with pytest.raises(InvalidInput, match="wanted each study and lesion once, got S0, L1 again"):
        read_calls(batch(tmp_path / "two", [(YES, YES)], [lesion(0), lesion(0)]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "ct"}, "source: wanted one of mri, pet, got 'ct'"),
        ({"pet_status": "found"}, "pet_status: wanted one of positive, .*, got 'found'"),
        ({"kind": "met"}, "kind: wanted one of metastasis, .*, got 'met'"),
        ({"long_axis_mm": "wide"}, "long_axis_mm: wanted a finite number, got 'wide'"),
        ({"long_axis_mm": "inf"}, "long_axis_mm: wanted a finite number, got 'inf'"),
    ],
)
def test_a_lesions_table_that_cannot_be_read_is_refused(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_calls(batch(tmp_path / "b", [(YES, YES)], [lesion(0, 1, **change)]))
