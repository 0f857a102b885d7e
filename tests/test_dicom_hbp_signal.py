"""The image's own signal: which phase it is, where headers are bare, absent or wrong."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from lesionmatch import dicom
from lesionmatch.dicom import ReadOptions
from lesionmatch.dicom.hbp_signal import Signal, said_of
from lesionmatch.dicom.series.hbp import total
from lesionmatch.phantom import simulate, write_study
from lesionmatch.phantom.export import Export
from lesionmatch.phantom.typical import Scenario, scenario_recipe
from lesionmatch.protocol import Protocol
from tests.reading_files import hbp_slice, saved, slices

NATIVE, ARTERIAL, PORTAL, TRANSITIONAL, HBP = PHASES = (10, 11, 12, 13, 20)
"""Series numbers of a simulated examination."""
CONTRAST = ("ContrastBolusAgent", "ContrastBolusRoute", "ContrastBolusVolume")
Change = Callable[[Dataset], None]


@pytest.fixture(scope="module")
def examination(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every phase as a whole volume, with one name for all of them."""
    folder = tmp_path_factory.mktemp("phases")
    study = simulate(scenario_recipe(Scenario.AVID, 41))
    write_study(
        study,
        folder / "pet",
        folder / "mri",
        export=Export(has_bare_names=True, has_whole_phases=True),
    )
    return folder / "mri"


def silent(ds: Dataset) -> None:
    """Leave nothing in a header that tells the phases apart."""
    for keyword in (*CONTRAST, "ContrastBolusStartTime"):
        if keyword in ds:
            delattr(ds, keyword)
    ds.AcquisitionTime = ds.SeriesTime = ds.ContentTime = "100000"
    ds.SeriesDescription = "t1_vibe_tra"


def retold(examination: Path, folder: Path, changes: Mapping[int, Change]) -> Path:
    """The phases named in `changes` and what was drawn, headers changed."""
    datasets = []
    for path in sorted(examination.iterdir()):
        if path.read_bytes()[128:132] != b"DICM":
            continue
        ds = dcmread(path)
        change = changes.get(int(ds.SeriesNumber))
        if change is not None:
            change(ds)
            datasets.append(ds)
        elif ds.Modality == "SEG":
            datasets.append(ds)
    return saved(folder, datasets)


def test_bare_headers_leave_it_to_the_images(examination: Path, tmp_path: Path) -> None:
    folder = retold(examination, tmp_path, dict.fromkeys(PHASES, silent))
    chosen = dicom.read_mri_study([folder]).hbp_series
    assert chosen.number == HBP
    assert "image: liver brightest of the candidates, its vessels dark (+3)" in chosen.evidence


def test_inspect_prints_what_the_images_say(examination: Path, tmp_path: Path) -> None:
    folder = retold(examination, tmp_path, dict.fromkeys(PHASES, silent))
    said = {r.number: r.evidence for r in dicom.inspect([folder]).inventory.series}
    assert "image: vessels brighter than the liver (-2)" in said[PORTAL]
    assert "image: liver darker than in another candidate (-2)" in said[NATIVE]


def test_a_portal_venous_phase_called_hepatobiliary_is_not_taken(
    examination: Path, tmp_path: Path
) -> None:
    def wrong(ds: Dataset) -> None:
        silent(ds)
        ds.SeriesDescription = "t1_vibe_tra_hbp"

    changes: dict[int, Change] = {**dict.fromkeys(PHASES, silent), PORTAL: wrong}
    folder = retold(examination, tmp_path, changes)
    assert dicom.read_mri_study([folder]).hbp_series.number == HBP


def test_without_a_hepatobiliary_phase_none_is_taken(examination: Path, tmp_path: Path) -> None:
    folder = retold(examination, tmp_path, dict.fromkeys(PHASES[:4], silent))
    found = dicom.inspect([folder]).mri
    assert found is not None
    assert found.chosen is None
    assert found.refusal is not None
    assert "give --mri-series" in found.refusal


def test_the_same_phase_twice_is_a_person_s_choice(examination: Path, tmp_path: Path) -> None:
    def again(ds: Dataset) -> None:
        silent(ds)
        ds.SeriesInstanceUID += ".2"
        ds.SOPInstanceUID += ".2"
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID

    folder = retold(examination, tmp_path, dict.fromkeys(PHASES, silent))
    retold(examination, folder, {HBP: again})
    found = dicom.inspect([folder]).mri
    assert found is not None
    assert found.refusal is not None
    assert "give --mri-series" in found.refusal


def test_images_are_not_read_where_headers_leave_no_doubt(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(hbp_slice))
    saved(folder, slices(hbp_slice, series="1.2.4.2", SeriesDescription="t2 haste"))
    series = dicom.inspect([folder]).inventory.series
    assert not any("image:" in said for record in series for said in record.evidence)


def test_a_series_that_the_user_names_is_taken_unseen(examination: Path, tmp_path: Path) -> None:
    folder = retold(examination, tmp_path, dict.fromkeys(PHASES, silent))
    wanted = next(r for r in dicom.scan([folder]).series if r.number == TRANSITIONAL)
    found = dicom.read_mri_study([folder], ReadOptions(mri_series=wanted.key))
    assert found.hbp_series.evidence == wanted.evidence


def points(signals: Mapping[str, Signal]) -> dict[str, float]:
    said = said_of(signals, Protocol().series)
    return {key: total(evidence) for key, evidence in said.items()}


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        # Liver against the body, dark and bright shares of the liver.
        ({"a": (4.0, 0.05, 0.0), "b": (3.2, 0.01, 0.03)}, {"a": 3, "b": -4}),
        ({"a": (4.0, 0.05, 0.0), "b": (3.9, 0.01, 0.0)}, {"a": 3, "b": 0}),
        # Brightest, but no vessel in it is dark that is not dark in the other too: lesions.
        ({"a": (4.0, 0.08, 0.0), "b": (3.9, 0.08, 0.0)}, {"a": 0, "b": 0}),
        # As bright as the other, within a breath-hold's difference.
        ({"a": (4.0, 0.05, 0.0), "b": (3.97, 0.01, 0.0)}, {"a": 0, "b": 0}),
    ],
)
def test_what_is_said_follows_from_the_livers_and_their_vessels(
    signals: dict[str, tuple[float, float, float]], expected: dict[str, float]
) -> None:
    assert points({key: Signal(*values) for key, values in signals.items()}) == expected


def test_images_of_nothing_say_nothing(tmp_path: Path) -> None:
    folder = saved(tmp_path, slices(hbp_slice))
    saved(folder, slices(hbp_slice, series="1.2.4.2"))
    series = dicom.inspect([folder]).inventory.series
    assert [np.isclose(r.score or 0.0, 9.0) for r in series] == [True, True]
