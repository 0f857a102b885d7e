"""scripts/paper makes the paper's tables and says where it does not hold together."""

import runpy
import sys
from pathlib import Path

import pytest

PAPER = Path(__file__).parents[1] / "scripts" / "paper"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "path", [str(PAPER), *sys.path])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_path(str(PAPER / "__main__.py"), run_name="__main__")
    return capsys.readouterr().out


def test_every_printed_figure_comes_out_to_the_last_digit(said: str) -> None:
    assert "20 of 20 printed figures come out to the last digit" in said
    assert "^" not in said


def test_tables_are_those_of_the_paper(said: str) -> None:
    assert "PET involved                1634            16    1650" in said
    assert "  36  70.6 % (56.2-82.5)" in said
    assert "   6  37.5 % (15.2-64.6)" in said
    assert "  51  in all" in said


def test_all_inconsistencies_are_named_with_their_numbers(said: str) -> None:
    assert " 12. repetition" in said
    assert "sensitivity 97.15 %, NPV 93.42 %" in said
    assert "(p = 0.324)" in said
    assert "p < 0.01 holds up to a design effect of 2.756" in said


def test_a_digit_that_does_not_come_out_is_marked_and_ends_with_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(PAPER), *sys.path])
    import printed  # type: ignore[import-not-found]

    monkeypatch.setattr(printed, "KAPPA", ("0.93", "0.91", "0.95"))
    with pytest.raises(SystemExit, match="1"):
        runpy.run_path(str(PAPER / "__main__.py"), run_name="__main__")
    out = capsys.readouterr().out
    assert "0.92     0.91  ===^" in out
    assert "19 of 20 printed figures" in out
