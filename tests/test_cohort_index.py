"""The index of a tree: each file once, resumable, and no identities in it."""

import sqlite3
import zipfile
from datetime import date
from pathlib import Path

import pytest
from pydicom import Dataset

import lesionmatch
from lesionmatch.cohort import index, studies
from lesionmatch.cohort.pseudonyms import Pseudonyms, pseudonyms
from lesionmatch.dicom.series.headers import SeriesFacts, read_tag, series_facts, tracer
from lesionmatch.errors import NothingFound, UnusableOutput
from lesionmatch.protocol import Protocol
from tests.closed import closed_to_us
from tests.cohort_tree import Person, SeriesPlan, Tree, after, header, liver_mri, pet_ct

JANE = Person("SECRET-ID-1", "SECRETNAME^JANE", "19600101", "F")
NAMES = Pseudonyms(b"k" * 32, phi=False)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


def indexed(tree: Tree, out: Path) -> tuple[sqlite3.Connection, index.Indexed]:
    out.mkdir(exist_ok=True)
    database = index.connect(out, NAMES)
    return database, index.update(database, tree.root, NAMES, workers=1)


def test_every_file_is_indexed_under_its_series(tree: Tree, tmp_path: Path) -> None:
    tree.add(JANE, after(0), pet_ct(files=3))
    database, done = indexed(tree, tmp_path / "out")
    assert done == index.Indexed(files=6, opened=6, forgotten=0)
    rows = database.execute(
        "SELECT h.modality, COUNT(*) FROM files f JOIN heads h ON f.head = h.id GROUP BY 1"
    )
    assert dict(rows.fetchall()) == {"PT": 3, "CT": 3}


def test_a_second_run_opens_only_what_changed(tree: Tree, tmp_path: Path) -> None:
    tree.add(JANE, after(0), pet_ct(files=3))
    indexed(tree, tmp_path / "out")[0].close()
    files = sorted(tree.root.rglob("*.dcm"))
    files[0].unlink()
    files[1].write_bytes(b"no longer DICOM")
    tree.add(JANE, after(9), liver_mri(files=2, hbp=False))
    database, done = indexed(tree, tmp_path / "out")
    assert done == index.Indexed(files=7, opened=3, forgotten=1)
    assert index.skipped(database) == {"not DICOM": 1}


def test_a_run_that_was_stopped_goes_on_where_it_was(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.add(JANE, after(0), pet_ct(files=5))
    monkeypatch.setattr(index, "CHUNK", 2)
    monkeypatch.setattr(index, "read_tag", stop_after(5))
    with pytest.raises(KeyboardInterrupt):
        indexed(tree, tmp_path / "out")
    monkeypatch.setattr(index, "read_tag", read_tag)
    _, done = indexed(tree, tmp_path / "out")
    assert done == index.Indexed(files=10, opened=6, forgotten=0)


def stop_after(count: int) -> object:
    seen: list[Path] = []

    def read(path: Path) -> object:
        seen.append(path)
        if len(seen) > count:
            raise KeyboardInterrupt
        return read_tag(path)

    return read


def test_several_processes_index_as_one_does(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.add(JANE, after(0), pet_ct(files=6))
    alone, _ = indexed(tree, tmp_path / "alone")
    monkeypatch.setattr(index, "FEW", 1)
    (tmp_path / "many").mkdir()
    many = index.connect(tmp_path / "many", NAMES)
    index.update(many, tree.root, NAMES, workers=2)
    query = "SELECT path, size, changed, instance FROM files ORDER BY path"
    assert many.execute(query).fetchall() == alone.execute(query).fetchall()


def test_no_identity_stands_in_the_index(tree: Tree, tmp_path: Path) -> None:
    tree.add(JANE, after(0), pet_ct(), folder="a")
    database, _ = indexed(tree, tmp_path / "out")
    database.close()
    content = (tmp_path / "out" / "index.sqlite").read_bytes()
    for secret in (b"SECRET-ID-1", b"SECRETNAME", b"19600101", b"1960-01-01"):
        assert secret not in content
    assert (tmp_path / "out" / "index.sqlite").stat().st_mode & 0o077 == 0


def test_junk_links_and_loops_are_counted_or_passed(tree: Tree, tmp_path: Path) -> None:
    tree.add(JANE, after(0), [SeriesPlan("PT", 1)])
    (tree.root / "notes.txt").write_text("hello")
    (tree.root / "empty").write_bytes(b"")
    (tree.root / "loop").symlink_to(tree.root, target_is_directory=True)
    (tree.root / "nowhere").symlink_to(tree.root / "gone")
    (tree.root / "round").symlink_to("and round")
    (tree.root / "and round").symlink_to("round")
    good = next(tree.root.rglob("*.dcm")).read_bytes()
    (tree.root / "cut.dcm").write_bytes(good[:400])
    (tree.root / "cut_short.dcm").write_bytes(good[:140])
    database, done = indexed(tree, tmp_path / "out")
    assert done.files == 5
    assert index.skipped(database)["not DICOM"] == 2
    assert sum(index.skipped(database).values()) == 4


def test_a_folder_that_cannot_be_read_is_counted_among_what_was_passed_over(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.add(JANE, after(0), [SeriesPlan("PT", 1)], folder="a/locked")
    tree.add(JANE, after(0), [SeriesPlan("PT", 2)], folder="b")
    closed_to_us(tree.root / "a" / "locked", monkeypatch)
    database, done = indexed(tree, tmp_path / "out")
    assert done.files == 3
    assert index.skipped(database) == {"cannot be read as DICOM (IsADirectoryError)": 1}


def test_names_that_are_not_text_are_indexed(tree: Tree, tmp_path: Path) -> None:
    tree.add(JANE, after(0), [SeriesPlan("PT", 1)])
    file = next(tree.root.rglob("*.dcm"))
    Path(str(file.parent) + "/f\udcff.dcm").write_bytes(file.read_bytes())
    assert indexed(tree, tmp_path / "out")[1].files == 2


def test_an_index_of_other_patients_names_is_refused(tmp_path: Path) -> None:
    index.connect(tmp_path, NAMES).close()
    with pytest.raises(UnusableOutput, match="one made with another patients; remove it"):
        index.connect(tmp_path, Pseudonyms(b"other" * 7, phi=False))
    with pytest.raises(UnusableOutput, match="wanted an index to go on with"):
        index.connect(tmp_path, Pseudonyms(b"k" * 32, phi=True))


def test_what_is_no_index_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite").write_bytes(b"something else entirely" * 100)
    with pytest.raises(UnusableOutput, match="file is not a database; remove it"):
        index.connect(tmp_path, NAMES)


def test_an_empty_or_missing_tree_is_refused(tmp_path: Path) -> None:
    database = index.connect(tmp_path, NAMES)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingFound, match="wanted a folder with DICOM files, got none"):
        index.update(database, tmp_path / "empty", NAMES, workers=1)
    with pytest.raises(NothingFound, match="got No such file or directory"):
        index.update(database, tmp_path / "gone", NAMES, workers=1)


def test_pseudonyms_are_steady_and_keyed(tmp_path: Path) -> None:
    first, again = pseudonyms(tmp_path, phi=False), pseudonyms(tmp_path, phi=False)
    (tmp_path / "b").mkdir()
    other = pseudonyms(tmp_path / "b", phi=False)
    assert first.patient("42") == again.patient(" 42 ") != first.patient("43")
    assert first.patient("42") != other.patient("42")
    assert first.mark("") == ""
    assert (tmp_path / "index.key").stat().st_mode & 0o077 == 0
    assert pseudonyms(tmp_path, phi=True).patient("42") == "42"


def test_a_key_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableOutput, match="wanted a file to keep the key in"):
        pseudonyms(tmp_path / "missing", phi=False)


def read(tmp_path: Path, person: Person, day: date | None, **attributes: object) -> object:
    file = tmp_path / "one.dcm"
    file.write_bytes(header(person, day, SeriesPlan("PT", 1, "", attributes), "1.2", "1.3"))
    return read_tag(file)


def test_a_tag_holds_whose_which_and_when(tmp_path: Path) -> None:
    tag = read(tmp_path, JANE, date(2020, 7, 1))
    assert (tag.patient_id, tag.name, tag.sex) == ("SECRET-ID-1", "SECRETNAME^JANE", "F")  # type: ignore[attr-defined]
    assert (tag.study, tag.series, tag.modality) == ("1.2", "1.3", "PT")  # type: ignore[attr-defined]
    assert tag.study_date == date(2020, 7, 1)  # type: ignore[attr-defined]
    assert tag.age_years == 60  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("age", "years"), [("061Y", 61), ("61Y", 61), ("018M", 1), ("105W", 2), ("", None)]
)
def test_the_age_stands_in_for_a_birth_date(tmp_path: Path, age: str, years: int | None) -> None:
    person = Person("1", birth_date="")
    tag = read(tmp_path, person, after(0), PatientAge=age)
    assert tag.age_years == years  # type: ignore[attr-defined]


def test_a_series_date_stands_in_for_a_study_date(tmp_path: Path) -> None:
    tag = read(tmp_path, JANE, None, SeriesDate="20200305")
    assert tag.study_date == date(2020, 3, 5)  # type: ignore[attr-defined]
    assert read(tmp_path, JANE, None).study_date is None  # type: ignore[attr-defined]


def test_a_file_without_preamble_has_its_tag_and_a_note_has_none(tmp_path: Path) -> None:
    whole = header(JANE, date(2020, 7, 1), SeriesPlan("PT", 1), "1.2", "1.3")
    (tmp_path / "bare").write_bytes(whole[132:])
    (tmp_path / "note").write_bytes(b"read me")
    found = read_tag(tmp_path / "bare")
    assert (found.study, found.series) == ("1.2", "1.3")  # type: ignore[union-attr]
    assert read_tag(tmp_path / "note") == "not DICOM"


def test_a_file_without_study_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(header(JANE, None, SeriesPlan("PT", 1), "", "1.3"))
    assert read_tag(tmp_path / "x") == "no study or series UID"


def test_a_zip_is_not_unpacked_and_that_is_said(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("1.dcm", header(JANE, None, SeriesPlan("PT", 1), "1.2", "1.3"))
    assert read_tag(tmp_path / "x.zip") == "a zip, which an index does not unpack"


def test_a_deflated_file_is_not_inflated(tmp_path: Path) -> None:
    content = header(JANE, None, SeriesPlan("PT", 1), "1.2", "1.3")
    deflated = content.replace(
        b"UI\x14\x001.2.840.10008.1.2.1\0", b"UI\x16\x001.2.840.10008.1.2.1.99"
    )
    (tmp_path / "x").write_bytes(deflated)
    assert read_tag(tmp_path / "x") == "deflated as a whole, which an index does not unpack"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Ga-68 DOTATATE", ("dotatate", "68Ga")),
        ("68Ga-DOTA-TOC", ("dotatoc", "68Ga")),
        ("DOTANOC", ("dotanoc", "")),
        ("Cu 64 dotatate", ("dotatate", "64Cu")),
        ("18F-SiTATE", ("sitate", "18F")),
        ("[68Ga]Ga-DOTA-(Tyr3)-octreotate", ("dotatate", "68Ga")),
        ("68Ga-NODAGA-LM3", ("ssr", "68Ga")),
        ("Fluorodeoxyglucose F18", ("other", "18F")),
        ("68Ga-PSMA-11", ("other", "68Ga")),
        ("Gallium", ("", "")),
    ],
)
def test_tracers_are_known_by_what_they_are_called(said: str, expected: tuple[str, str]) -> None:
    dose = Dataset()
    dose.Radiopharmaceutical = said
    dataset = Dataset()
    dataset.RadiopharmaceuticalInformationSequence = [dose]
    assert tracer(dataset) == expected


def test_tracers_are_known_by_their_codes() -> None:
    nuclide, dose, dataset = Dataset(), Dataset(), Dataset()
    nuclide.CodeValue, nuclide.CodeMeaning = "C-131A3", "^68^Gallium"
    dose.RadionuclideCodeSequence = [nuclide]
    dataset.RadiopharmaceuticalInformationSequence = [dose]
    assert tracer(dataset) == ("", "68Ga")
    assert tracer(Dataset()) == ("", "")


def test_facts_say_what_a_series_is_or_why_it_was_not_read(tree: Tree) -> None:
    tree.add(JANE, after(0), [*pet_ct(files=1), *liver_mri(files=1)])
    files = {path.parent.name: path for path in tree.root.rglob("*.dcm")}
    files["gone"] = tree.root / "gone"
    found = series_facts(files, Protocol().input)
    assert found["gone"] == "no longer there"
    pet, late = found["1"], found["4"]
    assert isinstance(pet, SeriesFacts)
    assert isinstance(late, SeriesFacts)
    assert (pet.role, pet.ligand, pet.scanner) == ("AC PET", "dotatate", "SIEMENS Biograph 64")
    assert late.hbp_score is not None
    assert late.hbp_score >= Protocol().series.hbp_least_score


def test_facts_are_read_again_only_where_a_study_or_the_version_changed(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.add(JANE, after(0), pet_ct())
    tree.add(JANE, after(9), liver_mri())
    database, _ = indexed(tree, tmp_path / "out")
    first = studies.studies(database, tree.root, Protocol())
    asked: list[object] = []

    def series_facts(files: object, _: object) -> dict[str, object]:
        asked.append(files)
        return {}

    monkeypatch.setattr(studies, "series_facts", series_facts)
    assert studies.studies(database, tree.root, Protocol()) == first
    assert asked == []
    monkeypatch.setattr(lesionmatch, "__version__", "another")
    studies.studies(database, tree.root, Protocol())
    assert len(asked) == 2
