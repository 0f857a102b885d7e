"""Readers against the table and each other; the worklist and what persons decide."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from lesionmatch.accuracy.values import Undefined
from lesionmatch.errors import InvalidInput
from lesionmatch.evaluation.assemble import assemble
from lesionmatch.evaluation.reader_sheets import pairs_sheet
from lesionmatch.evaluation.readers import consensus_of
from lesionmatch.evaluation.reading import read_calls, read_decisions, read_readers
from lesionmatch.evaluation.record import record
from lesionmatch.evaluation.rows import Call, ReaderCall
from lesionmatch.report.accuracy import write_accuracy
from tests.accuracy_tables import (
    MAYBE,
    NO,
    QUICK,
    YES,
    batch,
    calls_csv,
    lesion,
    rows_of,
    studies,
    write,
)

READERS = [
    ("S0", "A", YES, YES), ("S0", "B", YES, YES), ("S0", "C", NO, YES),
    ("S1", "A", NO, NO), ("S1", "B", NO, NO), ("S1", "C", NO, NO),
    ("S2", "A", YES, NO), ("S2", "B", NO, ""), ("S9", "A", YES, YES),
]  # fmt: skip


def readers_csv(path: Path) -> Path:
    names = ("study_id", "reader", "pet", "mri")
    return write(path, [dict(zip(names, row, strict=True)) for row in READERS])


def test_readers_are_compared_with_the_table_and_each_other(tmp_path: Path) -> None:
    table = read_calls(calls_csv(tmp_path / "calls.csv", [(YES, YES), (NO, NO), (NO, NO)]))
    calls = read_readers(readers_csv(tmp_path / "readers.csv"))
    found = assemble(table, calls=calls, options=QUICK).readers
    assert found is not None
    assert found.readers == ("A", "B", "C")
    assert found.unknown == ("S9",)
    pets = {(pair.one, pair.other): pair for pair in found.pairs if pair.modality == "pet"}
    assert pets["table", "A"].discordant == ("S2",)
    assert pets["A", "C"].summary.table.total == 2
    assert pets["table", "consensus"].summary.uncertain == 1
    assert ("A", "consensus") not in pets
    against = {one.source: one.summary.table for one in found.accuracy}
    assert (against["C"].fn, against["C"].tn) == (1, 1)


def test_readers_are_written_as_tables(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "calls.csv", [(YES, YES), (NO, NO), (NO, NO)])
    readers = readers_csv(tmp_path / "readers.csv")
    write_accuracy(calls, tmp_path / "out", readers=readers, options=QUICK)
    pairs = rows_of(tmp_path / "out" / "tables" / "readers.csv")
    (first,) = [
        row
        for row in pairs
        if [row[name] for name in ("modality", "one", "other")] == ["PET", "table", "A"]
    ]
    assert (first["studies"], first["differ"]) == ("3", "1")
    assert float(first["agreement"]) == pytest.approx(2 / 3)
    against = rows_of(tmp_path / "out" / "tables" / "readers_accuracy.csv")
    assert [row["source"] for row in against] == ["table", "A", "B", "C", "consensus"]
    found = json.loads((tmp_path / "out" / "accuracy.json").read_text())["readers"]
    assert found["readers"] == ["A", "B", "C"]
    assert found["unknown_studies"] == ["S9"]


def test_one_reader_has_nobody_to_agree_with() -> None:
    table = studies([(YES, YES)])
    found = assemble(table, calls=[ReaderCall("S0", "A", YES, None)], options=QUICK).readers
    assert found is not None
    alone = Undefined("fewer than two readers")
    assert found.fleiss == {"pet": alone, "mri": alone}
    assert {one.reference for one in found.accuracy} == {"table"}


def test_readers_agree_beyond_chance_by_fleiss_where_all_have_called() -> None:
    pet: list[tuple[Call, ...]] = [(YES, YES, YES), (NO, NO, NO), (YES, NO, NO), (MAYBE, YES, YES)]
    mri: list[tuple[Call, ...]] = [(YES, YES), (NO, YES)]
    calls = [
        ReaderCall(f"S{k}", reader, said, mri[k][n] if k < len(mri) and n < len(mri[k]) else None)
        for k, row in enumerate(pet)
        for n, (reader, said) in enumerate(zip("ABC", row, strict=True))
    ]
    found = assemble(studies([(YES, YES)] * 4), calls=calls, options=QUICK).readers
    assert found is not None
    # PET: agreement (1 + 1 + 1/3) / 3, by chance (4/9)^2 + (5/9)^2. MRI: 1/2, by chance 10/16.
    assert found.fleiss == {"pet": pytest.approx(22 / 40), "mri": pytest.approx(-1 / 3)}


def test_consensus_is_what_more_than_half_say() -> None:
    def calls(*said: Call) -> list[ReaderCall]:
        return [ReaderCall("S", f"R{k}", one, None) for k, one in enumerate(said)]

    assert consensus_of(calls(YES, YES, NO), "pet") == {"S": YES}
    assert consensus_of(calls(YES, NO), "pet") == {"S": MAYBE}
    assert consensus_of(calls(YES, NO, MAYBE), "pet") == {"S": MAYBE}
    assert consensus_of(calls(YES), "mri") == {}


DECISIONS = [
    {"study_id": "S1", "pet": YES, "mri": "", "reason": "", "decided_by": "AB",
     "decided_at": "2026-02-01T10:00:00+01:00", "note": "=looked again"},
    {"study_id": "S1", "pet": "", "mri": "", "reason": "cyst", "decided_by": "CD",
     "decided_at": "2026-03-01T10:00:00+01:00", "note": ""},
    {"study_id": "S2", "pet": "", "mri": YES, "reason": "small_size", "decided_by": "CD",
     "decided_at": "2026-01-01T10:00:00+01:00", "note": ""},
]  # fmt: skip


def test_decisions_stand_beside_the_calls_and_the_last_one_counts(tmp_path: Path) -> None:
    table = read_calls(
        calls_csv(tmp_path / "c.csv", [(YES, YES), (YES, NO), (YES, NO)], reason=["", "", "cyst"])
    )
    decisions = read_decisions(write(tmp_path / "d.csv", DECISIONS))
    report = assemble(table, decisions=decisions, options=QUICK)
    assert report.summary.table.fp == 2
    assert report.consensus is not None
    assert (report.consensus.table.tp, report.consensus.table.fp) == (2, 1)
    assert report.reasons["FP"]["cyst"] == 1
    assert report.reasons["FP"]["small_size"] == 1
    assert report.decided_reasons == 2
    assert [one["decided_by"] for one in record(report)["decisions"]] == ["CD", "AB", "CD"]


def test_decisions_on_studies_that_are_not_there_are_named(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "c.csv", [(YES, YES), (YES, NO)])
    decided = write(tmp_path / "d.csv", DECISIONS)
    report = write_accuracy(calls, tmp_path / "out", decisions=decided, options=QUICK)
    assert report.undecidable == ("S2",)
    assert record(report)["decisions_on_unknown_studies"] == ["S2"]
    assert "not counted: S2." in (tmp_path / "out" / "accuracy.html").read_text()


def test_a_worklist_filled_in_is_a_decisions_file(tmp_path: Path) -> None:
    folder = batch(tmp_path / "batch", [(YES, YES), (NO, YES), (MAYBE, NO)], [lesion(1)])
    write_accuracy(folder, tmp_path / "out", options=QUICK)
    rows = rows_of(tmp_path / "out" / "worklist.csv")
    assert [(row["study_id"], row["why"]) for row in rows] == [
        ("S1", "on the MRI and not on the PET"),
        ("S2", "a call is uncertain"),
    ]
    rows[0] |= {"reason": "small_size", "decided_by": "AB", "decided_at": "2026-01-01T10:00+00:00"}
    filled = write(tmp_path / "filled.csv", rows)
    report = write_accuracy(folder, tmp_path / "again", decisions=filled, options=QUICK)
    assert report.reasons["FN"]["small_size"] == 1
    assert len(report.decisions) == 1
    again = rows_of(tmp_path / "again" / "worklist.csv")
    assert [row["study_id"] for row in again] == ["S2", "S1"]
    assert read_decisions(tmp_path / "again" / "worklist.csv") == report.decisions


def test_the_worklist_page_links_the_pictures_and_keeps_what_was_decided(tmp_path: Path) -> None:
    rows = [lesion(1, overlay="overlays/L1.png"), lesion(1, 2, overlay="../../../etc/passwd")]
    folder = batch(tmp_path / "batch", [(YES, YES), (NO, YES)], rows)
    decided = write(tmp_path / "d.csv", DECISIONS)
    write_accuracy(folder, tmp_path / "out", decisions=decided, options=QUICK)
    page = (tmp_path / "out" / "worklist.html").read_text()
    assert 'src="../batch/studies/S1/overlays/L1.png"' in page
    assert "passwd" not in page
    assert page.count('<data class="earlier"') == 3
    assert "&#39;" not in page.split("<script>")[1]


def test_what_disagrees_is_shown_first_and_the_largest_at_its_head(tmp_path: Path) -> None:
    rows = [
        lesion(0, 1, long_axis_mm="40"),
        lesion(0, 2, long_axis_mm="30", relation="merged"),
        lesion(0, 3, long_axis_mm="9", kind="haemangioma", reason="haemangioma"),
        lesion(0, 4, long_axis_mm="12", relation="mri_only", reason="small_size"),
    ]
    table = read_calls(batch(tmp_path / "b", [(YES, NO)], rows))
    (item,) = assemble(table, options=QUICK).items
    assert [picture.lesion_id for picture in item.pictures] == ["L4", "L3", "L1", "L2"]


def test_readers_who_differ_put_a_study_on_the_worklist(tmp_path: Path) -> None:
    table = read_calls(calls_csv(tmp_path / "c.csv", [(YES, YES), (YES, YES), (YES, YES)]))
    calls = read_readers(readers_csv(tmp_path / "r.csv"))
    items = assemble(table, calls=calls, options=QUICK).items
    why = {item.study.study_id: item.why for item in items}
    assert why["S0"] == ("readers differ on the PET",)
    assert why["S1"] == (
        "readers say not involved on the PET",
        "readers say not involved on the MRI",
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"decided_at": "2026-02-01T10:00:00"}, "wanted a date, time and zone"),
        ({"decided_at": ""}, "decided_at: wanted a date, time and zone"),
        ({"decided_by": ""}, "decided_by: wanted a value, got nothing"),
        ({"pet": "", "reason": "", "note": ""}, "wanted at least one, got none"),
    ],
)
def test_a_decision_without_who_when_or_what_is_refused(
    tmp_path: Path, row: Mapping[str, str], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        read_decisions(write(tmp_path / "d.csv", [{**DECISIONS[0], **row}]))


def test_a_note_alone_says_that_a_study_stays_as_it_was_called(tmp_path: Path) -> None:
    calls = calls_csv(tmp_path / "c.csv", [(YES, NO)])
    row = {**DECISIONS[0], "study_id": "S0", "pet": "", "mri": "", "reason": "", "note": "seen"}
    decided = write(tmp_path / "d.csv", [row])
    report = write_accuracy(calls, tmp_path / "out", decisions=decided, options=QUICK)
    (item,) = report.items
    assert item.decision is not None
    assert item.decision.note == "seen"
    assert report.consensus is not None
    assert report.consensus.table == report.summary.table
    assert report.decided_reasons == 0


@pytest.mark.parametrize("reader", ["table", "Consensus"])
def test_a_reader_cannot_be_called_what_is_no_reader(tmp_path: Path, reader: str) -> None:
    row = {"study_id": "S", "reader": reader, "pet": YES, "mri": NO}
    with pytest.raises(InvalidInput, match="wanted a name but table and consensus"):
        read_readers(write(tmp_path / "r.csv", [row]))


def test_a_study_one_is_uncertain_of_is_no_disagreement() -> None:
    calls = [ReaderCall("S0", "A", MAYBE, None), ReaderCall("S1", "A", NO, None)]
    found = assemble(studies([(YES, YES), (YES, YES)]), calls=calls, options=QUICK).readers
    assert found is not None
    (pair,) = (pair for pair in found.pairs if pair.other == "A")
    assert pair.discordant == ("S1",)
    assert pair.summary.uncertain == 1
    (_, row) = (row for row in pairs_sheet(found).rows if row[0] == "PET")
    assert row[:6] == ("PET", "table", "consensus", 1, 1, 1)


def test_reader_rows_without_a_call_or_twice_are_refused(tmp_path: Path) -> None:
    row = {"study_id": "S", "reader": "A", "pet": YES, "mri": ""}
    with pytest.raises(InvalidInput, match="wanted at least one call, got none"):
        read_readers(write(tmp_path / "r.csv", [{**row, "pet": ""}]))
    with pytest.raises(InvalidInput, match="wanted each reader and study once, got A, S again"):
        read_readers(write(tmp_path / "r.csv", [row, row]))
