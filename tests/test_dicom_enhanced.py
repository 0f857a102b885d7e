"""Enhanced MR: what the same slices give as classic files, in any order and any packing."""

from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from lesionmatch import dicom
from lesionmatch.errors import InconsistentSeries, InvalidInput
from tests.drawn_files import needs_data
from tests.enhanced_files import enhanced, shuffled
from tests.reading_files import DATA, hbp_slice, saved, slices

DEMO = Path(__file__).parent.parent / "fixtures" / "demo" / "mri"


def of_the_fixture(number: int) -> list[Dataset]:
    """The files of one series of the simulated liver MRI."""
    return [dcmread(path) for path in sorted(DEMO.glob(f"MR{number:03}_*"))]


def test_an_enhanced_hepatobiliary_phase_gives_the_study_that_classic_files_give(
    tmp_path: Path,
) -> None:
    classic = dicom.read_mri_study([DEMO])
    hbp = of_the_fixture(20)
    native = of_the_fixture(10)
    drawn = [dcmread(path) for path in DEMO.iterdir() if path.name.startswith("SEG")]
    assert len(drawn) == 1
    folder = saved(tmp_path, [enhanced(shuffled(hbp), "1.2.77"), enhanced(native, "1.2.78")])
    found = dicom.read_mri_study([saved(folder, drawn)])
    assert found.hbp_series.key == "1.2.77"
    assert found.hbp.grid.matches(classic.hbp.grid)
    np.testing.assert_array_equal(found.hbp.array, classic.hbp.array)
    assert [s.label for s in found.segments] == [s.label for s in classic.segments]
    for one, other in zip(found.segments, classic.segments, strict=True):
        np.testing.assert_allclose(one.mask.points_mm(), other.mask.points_mm(), atol=1e-3)


def test_frames_have_their_own_slope(tmp_path: Path) -> None:
    folder = saved(
        tmp_path, [enhanced([hbp_slice(n, RescaleSlope=n + 1) for n in range(5)], "1.2.4.9")]
    )
    record = dicom.scan([folder]).series[0]
    image = dicom.mri.read_signal(record, dicom.ReadOptions())
    # The n-th slice holds n + 1.
    np.testing.assert_allclose(image.array[:, 0, 0], [1, 4, 9, 16, 25])


def test_two_phases_in_one_file_are_parted(tmp_path: Path) -> None:
    phases = [hbp_slice(n, TemporalPositionIdentifier=p) for n in range(5) for p in (1, 2)]
    found = dicom.scan([saved(tmp_path, [enhanced(phases, "1.2.4.9")])]).series
    assert [record.key for record in found] == ["1.2.4.9#1", "1.2.4.9#2"]
    assert all("parted from its series by TemporalPosition" in " ".join(r.evidence) for r in found)


def test_phases_that_nothing_tells_apart_are_refused(tmp_path: Path) -> None:
    phases = slices(hbp_slice, 5) + slices(hbp_slice, 5)
    record = dicom.scan([saved(tmp_path, [enhanced(phases, "1.2.4.9")])]).series[0]
    with pytest.raises(InconsistentSeries, match="5 places taken twice"):
        record.usable_stack()


def test_a_frame_without_its_groups_is_refused(tmp_path: Path) -> None:
    ds = enhanced(slices(hbp_slice, 5), "1.2.4.9")
    ds.NumberOfFrames = 6
    record = dicom.scan([saved(tmp_path, [ds])]).series[0]
    with pytest.raises(InvalidInput, match="wanted functional groups of each of 6 frames, got 5"):
        record.usable_stack()


@needs_data
def test_a_real_enhanced_mr_stripped_of_its_groups_is_refused() -> None:
    record = dicom.scan([DATA / "seg/pydicom/emri_small.dcm"]).series[0]
    with pytest.raises(InvalidInput, match="wanted functional groups of each of 10 frames, got 0"):
        record.usable_stack()
