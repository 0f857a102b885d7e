"""The verbs cohort and accuracy, as a person types them."""

from pathlib import Path

import pytest

from lesionmatch.cli import main
from tests.accuracy_tables import NO, YES, calls_csv
from tests.cohort_tree import Person, Tree, after, liver_mri, pet_ct


def test_accuracy_says_the_answer_and_where_to_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = calls_csv(tmp_path / "calls.csv", [(YES, YES)] * 9 + [(NO, YES)] + [(NO, NO)] * 10)
    out = tmp_path / "out"
    assert main(["accuracy", str(calls), "-o", str(out), "--draws", "0"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Sensitivity 90.0 % (95 % CI 55.5–99.7 exact, ")
    assert said[-1] == f"open {out / 'accuracy.html'}"


def test_accuracy_refuses_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["accuracy", str(tmp_path / "none.csv"), "-o", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == (
        "lesionmatch: none.csv: wanted a CSV table, got No such file or directory; check the path\n"
    )


def test_cohort_then_reads_as_batch_would(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = Tree(tmp_path / "tree")
    tree.add(Person("1"), after(0), pet_ct(files=1))
    tree.add(Person("1"), after(-9), liver_mri(files=1))
    out = tmp_path / "out"
    line = ["cohort", str(tree.root), "-o", str(out), "--window=-92:92", "-j", "1"]
    assert main(line) == 0
    assert capsys.readouterr().out.startswith("Pairs of PET/CT and liver MRI: 1, of patients: 1.\n")


def test_cohort_quiet_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = Tree(tmp_path / "tree")
    tree.add(Person("1"), after(0), pet_ct(files=1))
    assert main(["cohort", str(tree.root), "-o", str(tmp_path / "out"), "-q", "-j", "1"]) == 0
    assert capsys.readouterr().out == ""


def test_a_window_that_is_none_is_a_mistyped_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["cohort", "tree", "-o", "out", "--window", "5"])
    assert "wanted FIRST:LAST in whole days, as -92:92, got '5'" in capsys.readouterr().err
