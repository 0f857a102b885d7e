"""What `render` makes of a comparison on disk: tables, pictures, page."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from lesionmatch import report
from lesionmatch.columns import LESIONS, RELATIONS, Column, cells
from lesionmatch.errors import InvalidInput, NothingFound
from lesionmatch.report.context import call, disagreements, doubts, summary
from tests.report_case import build, default_comparison, default_rows, lesion_row

HEADING = (
    "lesion_id,source,kind,label,relation,focus_ids,mri_x_mm,mri_y_mm,mri_z_mm,pet_x_mm,pet_y_mm,"
    "pet_z_mm,long_axis_mm,short_axis_mm,equivalent_diameter_mm,volume_ml,suv_max,suv_peak,"
    "suv_mean,tumour_to_liver,contrast_to_noise,krenning,pet_status,null_p,expected_recovery,"
    "least_visible_ratio,visibility,capsule_distance_mm,hilum_distance_mm,vessel_distance_mm,"
    "registration_error_mm,flags,reason,overlay"
)


class PageCells(HTMLParser):
    """The cells of a page's tables: for each table's id, rows of column -> data-value."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[dict[str, str]]] = {}
        self._rows: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self._rows = self.tables.setdefault(given.get("id") or "", [])
        elif tag == "tr":
            self._rows.append({})
        elif tag == "td" and "data-column" in given:
            self._rows[-1][str(given["data-column"])] = given["data-value"] or ""


def page_rows(out: Path, table: str) -> list[dict[str, str]]:
    parser = PageCells()
    parser.feed((out / "report.html").read_text(encoding="utf-8"))
    return [row for row in parser.tables[table] if row]


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = build(tmp_path_factory.mktemp("case") / "out")
    report.render(folder)
    return folder


def test_lesions_csv_has_the_columns_of_the_design_in_order(out: Path) -> None:
    assert (out / "lesions.csv").read_text(encoding="utf-8").splitlines()[0] == HEADING


def test_cells_are_empty_where_they_do_not_apply_and_lists_are_joined(out: Path) -> None:
    _, missed, _, focus = csv_rows(out / "lesions.csv")
    assert (missed["focus_ids"], missed["flags"]) == ("", "small;subcentimetre")
    assert (missed["suv_max"], missed["overlay"]) == ("5.6", "overlays/L2.png")
    assert (focus["lesion_id"], focus["label"], focus["source"]) == ("F2", "", "pet")


def test_relations_csv_writes_booleans_in_small_letters(out: Path) -> None:
    assert (out / "relations.csv").read_text().splitlines() == [
        "lesion_id,focus_id,distance_mm,surface_distance_mm,overlap,tolerance_mm,relation,"
        "is_ambiguous",
        "L1,F1,1.5,0,0.8,5.1,matched,false",
    ]


def test_the_page_shows_what_the_tables_hold(out: Path) -> None:
    assert page_rows(out, "lesion-table") == csv_rows(out / "lesions.csv")
    assert page_rows(out, "relation-table") == csv_rows(out / "relations.csv")


def test_every_lesion_and_pet_only_focus_has_a_picture(out: Path) -> None:
    assert sorted(path.name for path in (out / "overlays").iterdir()) == [
        "F2.png", "L1.png", "L2.png", "L3.png",
    ]  # fmt: skip
    with Picture.open(out / "overlays" / "L1.png") as picture:
        assert picture.size == (1033, 870)


def test_a_lesion_without_a_place_on_the_pet_has_no_picture(tmp_path: Path) -> None:
    nowhere = {f"pet_{axis}_mm": None for axis in "xyz"}
    row = lesion_row("L1", (0, 0, 0), **nowhere, pet_status="not_covered", relation="mri_only")
    report.render(build(tmp_path, [row], comparison={"foci": []}, with_images=False))
    assert csv_rows(tmp_path / "lesions.csv")[0]["overlay"] == ""
    assert not list((tmp_path / "overlays").iterdir())


def test_without_overlays_earlier_pictures_are_taken_away(tmp_path: Path) -> None:
    (build(tmp_path, with_images=False) / "overlays").mkdir()
    report.render(tmp_path, overlays=False)
    assert not (tmp_path / "overlays").exists()
    assert csv_rows(tmp_path / "lesions.csv")[0]["overlay"] == ""


def test_rendering_again_gives_the_same_bytes(out: Path) -> None:
    names = ["report.html", "lesions.csv", "relations.csv", "overlays/L1.png"]
    before = [(out / name).read_bytes() for name in names]
    report.render(out)
    assert [(out / name).read_bytes() for name in names] == before


def test_a_study_without_lesions_and_foci_is_said_to_have_none(tmp_path: Path) -> None:
    nothing: dict[str, list[object]] = {"foci": [], "relations": [], "lesions": []}
    report.render(build(tmp_path, [], comparison=nothing))
    assert "No lesion was drawn on the MRI" in (tmp_path / "report.html").read_text()
    assert csv_rows(tmp_path / "lesions.csv") == []


def test_only_numbers_on_disk_still_make_a_page(tmp_path: Path) -> None:
    rows = default_rows()
    (tmp_path / "comparison.json").write_text(json.dumps(default_comparison(rows)))
    report.render(tmp_path)
    assert page_rows(tmp_path, "lesion-table") == csv_rows(tmp_path / "lesions.csv")
    assert {row["overlay"] for row in csv_rows(tmp_path / "lesions.csv")} == {""}


def test_a_label_with_a_script_or_a_formula_is_inert(tmp_path: Path) -> None:
    script, formula = "<script>alert(1)</script>", '=HYPERLINK("x")'
    rows = [lesion_row("L1", (0, 0, 0), label=script), lesion_row("L2", (9, 0, 0), label=formula)]
    report.render(build(tmp_path, rows, comparison={"assumptions": [script]}, with_images=False))
    page = (tmp_path / "report.html").read_text()
    assert script not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 3
    labels = [row["label"] for row in csv_rows(tmp_path / "lesions.csv")]
    assert labels == [script, "'" + formula]


def test_the_page_forbids_everything_but_its_own_style_and_script(out: Path) -> None:
    page = (out / "report.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    assert re.fullmatch(
        r"default-src 'none'; img-src data:; style-src 'sha256-[\w+/=]{44}'; "
        r"script-src 'sha256-[\w+/=]{44}'; base-uri 'none'; form-action 'none'",
        policy[1].replace("&#39;", "'"),
    )
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_names_are_shown_only_when_asked_for(tmp_path: Path) -> None:
    build(tmp_path, comparison={"phi": {"Patient name": "Muster^Erika"}}, with_images=False)
    report.render(tmp_path)
    assert "Muster" not in (tmp_path / "report.html").read_text()
    report.render(tmp_path, phi=True)
    assert "Muster^Erika" in (tmp_path / "report.html").read_text()


def test_a_cyst_without_uptake_is_no_disagreement(tmp_path: Path) -> None:
    rows = [lesion_row("L1", (0, 0, 0), kind="cyst", relation="mri_only", pet_status="negative")]
    report.render(build(tmp_path, rows, with_images=False))
    assert "PET and MRI agree about every lesion" in (tmp_path / "report.html").read_text()


def test_a_lesion_outside_the_pet_is_no_agreement(tmp_path: Path) -> None:
    rows = [lesion_row("L1", (0, 0, 0)), lesion_row("L2", (0, 0, 99), pet_status="not_covered")]
    report.render(build(tmp_path, rows, with_images=False))
    said = "agree about every lesion that both cover; 1 lesion was outside the PET"
    assert said in (tmp_path / "report.html").read_text()


def test_kinds_are_counted_as_a_person_would_and_the_median_is_one() -> None:
    rows = [
        lesion_row(f"L{n}", (0, 0, 0), registration_error_mm=error, kind=kind)
        for n, (error, kind) in enumerate(
            [(1.0, "metastasis"), (2.0, "metastasis"), (4.0, "cyst"), (9.0, "other_benign")]
        )
    ]
    facts = dict(summary(default_comparison(rows)))
    assert facts["Lesions on MRI"] == "4 (2 metastases, 1 cyst, 1 other benign lesion)"
    assert facts["Median registration error"] == "3.0 mm"


@pytest.mark.parametrize(
    ("mri", "pet", "cell", "said"),
    [
        ("involved", "involved", "TP", "MRI: liver involved. PET: liver involved. Both involved"),
        ("involved", "not_involved", "FN", "PET: liver not involved. Missed by PET (FN)."),
        ("not_involved", "involved", "FP", "PET: liver involved. Seen by PET alone (FP)."),
        ("not_involved", "not_involved", "TN", "not involved. Neither involved (TN)."),
        ("involved", "uncertain", None, "No cell, since a call is uncertain."),
    ],
)
def test_the_call_is_said_in_a_sentence(mri: str, pet: str, cell: str | None, said: str) -> None:
    calls = {"mri": mri, "pet": pet, "cell": cell, "reason": None, "why": ""}
    assert said in call({"calls": calls, "lesions": [lesion_row("L1", (0, 0, 0))]})["sentence"]


def test_a_lesion_of_no_named_kind_is_called_one() -> None:
    rows = [
        lesion_row("L1", (0, 0, 0), kind="unspecified", reason="low_uptake", relation="mri_only"),
        lesion_row("L2", (0, 0, 0), kind="other_benign", reason="unexplained"),
    ]
    assert [row["text"] for row in disagreements(rows)] == [
        "unspecified lesion of 12.0 mm, on MRI only: little uptake",
        "other benign lesion of 12.0 mm, seen on both: not explained by what was measured",
    ]


def test_a_focus_alone_is_told_by_its_uptake_as_well() -> None:
    row = lesion_row(
        "F1", (0, 0, 0), source="pet", reason="unexplained", relation="pet_only",
        tumour_to_liver=3.14,
    )  # fmt: skip
    (one,) = disagreements([row])
    assert one["text"].startswith("focus of 12.0 mm, 3.1 x liver, on PET only: not explained")


def test_the_table_shows_as_many_digits_as_the_pictures(tmp_path: Path) -> None:
    rows = [lesion_row("L1", (0, 0, 0), tumour_to_liver=3.2004, contrast_to_noise=21.668)]
    report.render(build(tmp_path, rows, with_images=False))
    page = (tmp_path / "report.html").read_text()
    assert "tumour/liver 3.20 · contrast/noise 21.7" in page
    assert re.search(r'data-column="tumour_to_liver"[^>]*>3\.20<', page)
    assert re.search(r'data-column="contrast_to_noise"[^>]*>21\.7<', page)


def test_minutes_are_no_minimum(tmp_path: Path) -> None:
    build(tmp_path, comparison={"study": {"suv": {"uptake_min": 66.28}}}, with_images=False)
    report.render(tmp_path)
    assert "<dt>uptake time (min)</dt><dd>66.28</dd>" in (tmp_path / "report.html").read_text()


def test_a_focus_taken_for_physiologic_is_named(tmp_path: Path) -> None:
    focus = {
        "focus_id": "F9", "suv_max": 9.04, "physiologic_neighbour": "stomach or bowel",
        "why": "3.1 x liver; stomach or bowel",
    }  # fmt: skip
    report.render(build(tmp_path, comparison={"foci": [focus]}, with_images=False))
    page = (tmp_path / "report.html").read_text()
    assert "<li>F9: SUVmax 9.0, 3.1 x liver; stomach or bowel</li>" in page


def test_a_doubtful_registration_is_said_at_the_top(tmp_path: Path) -> None:
    doubtful = default_comparison([])["registration"] | {
        "passed": False, "doubts": ["Mutual information 0.1 is below 0.2."],
    }  # fmt: skip
    report.render(build(tmp_path, comparison={"registration": doubtful}, with_images=False))
    head = (tmp_path / "report.html").read_text().split("<main>")[0]
    assert "Look here first" in head
    assert "Mutual information 0.1 is below 0.2." in head


def test_the_median_registration_error_is_that_of_foci_where_no_lesion_was_drawn() -> None:
    rows = [lesion_row("F1", (0, 0, 0), source="pet", registration_error_mm=2.0)]
    assert dict(summary(default_comparison(rows)))["Median registration error"] == "2.0 mm"


def test_a_folder_without_a_comparison_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match=r"wanted a comparison\.json, got none"):
        report.render(tmp_path)
    with pytest.raises(NothingFound, match="or a batch's studies, got neither"):
        report.render_again(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "wanted JSON"),
        ("[]", "wanted an object"),
        ('{"schema": 2}', "wanted schema 1, got 2"),
        ('{"schema": 1, "lesions": [{"lesion_id": "../L1"}]}', "wanted a lesion_id of letters"),
    ],
)
def test_a_comparison_that_cannot_be_read_is_refused(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "comparison.json").write_text(text)
    with pytest.raises(InvalidInput, match=message):
        report.render(tmp_path)


def test_a_row_without_a_column_is_refused() -> None:
    with pytest.raises(InvalidInput, match="got no focus_id, distance_mm"):
        cells(RELATIONS, {"lesion_id": "L1"})


@pytest.mark.parametrize(
    ("kind", "value"),
    [("number", "3"), ("number", True), ("number", False), ("boolean", 1), ("list", "small")],
)
def test_a_cell_of_another_type_is_refused(kind: str, value: object) -> None:
    column = Column("flags", kind, "", "")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match=f"flags: wanted {kind}, got"):
        column.cell(value)  # type: ignore[arg-type]


def test_every_column_has_a_meaning() -> None:
    assert all(column.says for column in (*LESIONS, *RELATIONS))
    assert np.unique([column.name for column in LESIONS]).size == 34


def write_batch(out: Path) -> Path:
    doubtful = default_comparison([])["registration"] | {"passed": False, "doubts": ["It slid."]}
    missed = default_comparison([])["calls"] | {"cell": "FN", "pet": "not_involved"}
    build(out / "studies" / "S1")
    build(out / "studies" / "S2", comparison={"calls": missed}, with_images=False)
    build(out / "studies" / "S3", comparison={"registration": doubtful}, with_images=False)
    rows = ["S1,P1,,false", "S2,P2,,false", "S3,P3,,true", "S4,P4,no <b>SUV</b>,false"]
    head = "study_id,patient_id,why,is_doubtful"
    (out / "calls.csv").write_text("\n".join([head, *rows]) + "\n")
    (out / "failures.csv").write_text("study_id,patient_id,error\nS4,P4,no <b>SUV</b>\n")
    return out


def test_the_overview_lists_failed_then_doubtful_then_discordant_studies(tmp_path: Path) -> None:
    report.render_again(write_batch(tmp_path))
    page = (tmp_path / "index.html").read_text()
    assert re.findall(r'<tr class="(\w+)"', page) == [
        "failed",
        "doubtful",
        "discordant",
        "concordant",
    ]
    assert re.findall(r'href="studies/(S\d)/report.html"', page) == ["S3", "S2", "S1"]
    assert "no &lt;b&gt;SUV&lt;/b&gt;" in page
    assert page.count("data:image/webp;base64,") == 1


def test_the_overview_of_an_empty_batch_is_a_page(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("study_id,patient_id\n")
    report.render_again(tmp_path)
    assert "<strong>0</strong> studies" in (tmp_path / "index.html").read_text()


def test_facts_name_their_units(out: Path) -> None:
    page = (out / "report.html").read_text()
    assert "<dt>volume (ml)</dt><dd>950</dd>" in page
    assert "<dt>SUV mean</dt><dd>5</dd>" in page


def test_agreement_by_different_lesions_is_not_shown_as_good(tmp_path: Path) -> None:
    rows = [row for row in default_rows() if row["relation"] != "matched"]
    report.render(build(tmp_path, rows, with_images=False))
    head = (tmp_path / "report.html").read_text().split("<main>")[0]
    assert '<div class="banner warn" role="status">' in head
    assert "Both involved, but by no lesion that both show (TP)." in head


def test_agreement_by_a_benign_lesion_alone_is_not_shown_as_good(tmp_path: Path) -> None:
    rows = [
        lesion_row("L1", (0, 0, 0), kind="haemangioma", reason="haemangioma"),
        lesion_row(
            "L2", (0, 0, 0), relation="mri_only", pet_status="negative", reason="low_uptake"
        ),
    ]
    report.render(build(tmp_path, rows, with_images=False))
    assert "but by no lesion that both show (TP)." in (tmp_path / "report.html").read_text()


def test_a_doubtful_registration_that_lesions_clear_is_said_to_be() -> None:
    comparison = default_comparison(default_rows())
    comparison["registration"] |= {"passed": False, "cleared_by_lesions": True}
    (first, *_) = doubts(comparison)
    assert first.endswith("matched lesions lie on their foci: the PET was called all the same.")
    comparison["registration"]["cleared_by_lesions"] = False
    assert doubts(comparison) == ["The registration is doubtful."]
    comparison["liver"] |= {"is_plausible": False, "doubts": ["L9 lies 65 mm outside the liver"]}
    assert doubts(comparison)[1:] == [
        "The liver is doubtful: its mask, or what was drawn in it.",
        "L9 lies 65 mm outside the liver.",
    ]


def test_an_overview_of_tables_that_a_spreadsheet_saved_is_made(tmp_path: Path) -> None:
    text = "\ufeffstudy_id;patient_id;is_doubtful\r\nS1;P1;TRUE\r\n;;\r\n"
    (tmp_path / "calls.csv").write_text(text, encoding="utf-8")
    study = build(tmp_path / "studies" / "S1", with_images=False) / "comparison.json"
    comparison = json.loads(study.read_text())
    comparison["registration"] |= {"passed": False, "doubts": ["the map folds"]}
    study.write_text(json.dumps(comparison))
    report.index(tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert '<tr class="doubtful" data-standing="doubtful"' in page
    assert ">The registration is doubtful. The map folds.<" in page
    assert "<strong>1</strong> studies" in page


def test_a_study_whose_results_are_gone_is_listed_as_failed(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("study_id,patient_id\nS1,P1\n")
    report.index(tmp_path)
    page = (tmp_path / "index.html").read_text()
    assert '<tr class="failed"' in page
    assert "its results are not in this folder" in page


def test_a_batch_is_rendered_again_although_one_study_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = write_batch(tmp_path)
    (out / "studies" / "S1" / "comparison.json").write_text("{")
    (out / "studies" / "S3" / "report.html").unlink(missing_ok=True)
    with pytest.raises(InvalidInput, match="wanted studies that can be read, got 1 of 3 that"):
        report.render_again(out, overlays=False, is_quiet=False)
    assert (out / "studies" / "S3" / "report.html").is_file()
    assert "S1: comparison.json: wanted JSON" in capsys.readouterr().err
    page = (out / "index.html").read_text()
    assert '<tr class="failed" data-standing="failed"' in page.split("S4")[0]
    assert "comparison.json: wanted JSON" in page
