"""Where what was drawn lies on the PET, and a registration that its own findings prove wrong."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lesionmatch import dicom
from lesionmatch.compare import Comparison, Options, compare_studies
from lesionmatch.compare.drawn import (
    OnPet,
    liver_of,
    on_mri,
    place_on_pet,
    with_drawn_on_pet,
)
from lesionmatch.compare.evidence import surroundings
from lesionmatch.errors import InvalidInput
from lesionmatch.geometry import Frame, Grid, Transform
from lesionmatch.image import Mask
from lesionmatch.liver import Liver
from lesionmatch.progress import Progress
from lesionmatch.protocol import Protocol, changed
from lesionmatch.record.summary import summary
from lesionmatch.registration import Registration, identity
from lesionmatch.resample import PointMap
from lesionmatch.segments import Kind, Segment, Structure

DEMO = Path(__file__).parent.parent / "fixtures" / "demo"
SHIFT_MM = np.array([9.0, -8.0, 6.0])


@cache
def studies() -> tuple[dicom.PetStudy, dicom.MriStudy]:
    pet = dicom.read_pet_study([DEMO / "pet"])
    return pet, dicom.read_mri_study([DEMO / "mri"], pet=pet)


def points(of: str, place: str) -> NDArray[np.float64]:
    """(N, 3) true places: `place` of every lesion, or of points that fill the liver."""
    truth = json.loads((DEMO / "truth.json").read_text())
    if of == "lesions":
        return np.array([lesion[place] for lesion in truth["lesions"]], np.float64)
    return np.array(truth[place], np.float64)


def mri_from_pet(off_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    """The affine map that fits the liver best, wrong by so much on the PET."""
    pet, mri = points("liver", "liver_points_pet_mm"), points("liver", "liver_points_mri_mm")
    solved = np.linalg.lstsq(np.column_stack([pet + off_mm, np.ones(len(pet))]), mri)[0]
    return np.vstack([solved.T, [0.0, 0.0, 0.0, 1.0]])


def registration(folder: Path, off_mm: NDArray[np.float64]) -> Path:
    path = folder / "map.txt"
    np.savetxt(path, mri_from_pet(off_mm))
    return path


def with_node() -> dicom.MriStudy:
    """The MRI with a metastasis drawn in the spleen."""
    mri = studies()[1]
    grid = mri.hbp.grid
    points_mm = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1).astype(np.float64))
    inside = ((points_mm - [110.0, 20.0, 20.0]) ** 2).sum(-1) <= 6.0**2
    node = Segment("node", Kind.METASTASIS, Mask(grid, inside).trimmed(), "test")
    return replace(mri, segments=(*mri.segments, node))


def compared(
    folder: Path,
    off_mm: NDArray[np.float64],
    rules: Protocol,
    mri: dicom.MriStudy | None = None,
) -> Comparison:
    options = Options(registration=str(registration(folder, off_mm)), protocol=rules)
    pet, its_mri = studies()
    return compare_studies(pet, mri or its_mri, options, Progress(is_quiet=True))


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    rules = changed(Protocol(), {"flags": {"subcapsular_mm": 7.0}})
    return compared(tmp_path_factory.mktemp("right"), np.zeros(3), rules)


def test_a_registration_that_missed_is_moved_to_where_lesions_and_foci_agree(
    tmp_path: Path, right: Comparison
) -> None:
    wrong = compared(tmp_path, SHIFT_MM, Protocol())
    assert right.registration.passed
    assert right.registration.quality.landmarks_shift_mm is None
    assert wrong.registration.quality.landmarks_shift_mm == pytest.approx(
        np.linalg.norm(SHIFT_MM), abs=2.0
    )
    assert "lesions and foci fit each other" in wrong.registration.doubts[0]
    assert not wrong.is_trusted
    assert statuses(wrong) == statuses(right)
    assert wrong.concordance.confirms_registration
    assert wrong.calls == right.calls
    records: list[Any] = [summary(one) for one in (wrong, right)]
    cleared = [one["registration"]["cleared_by_lesions"] for one in records]
    assert cleared == [True, False]


def test_a_doubtful_registration_that_no_lesions_clear_leaves_the_pet_uncertain(
    tmp_path: Path,
) -> None:
    rules = changed(Protocol(), {"reasons": {"confirmed_count": 20.0}})
    got = compared(tmp_path, SHIFT_MM, rules, with_node())
    (doubt,) = got.liver.doubts
    assert doubt.startswith("L8 lies ")
    assert doubt.endswith(" mm outside the liver and counts as its lesion")
    assert (got.calls.mri, got.calls.pet, got.calls.cell) == ("involved", "uncertain", None)
    assert "but the registration is doubtful: lesions and foci fit each other" in got.calls.why


def test_the_result_holds_its_protocol_its_landmarks_and_every_pair(right: Comparison) -> None:
    result: dict[str, Any] = json.loads(json.dumps(summary(right)))
    assert result["options"]["protocol"] == right.options.protocol.sha256
    assert [
        row["value"]
        for row in result["protocol"]
        if (row["section"], row["name"]) == ("flags", "subcapsular_mm")
    ] == [7.0]
    quality = result["registration"]["quality"]
    assert quality["landmarks"] == 4
    assert quality["landmarks_after_mm"] < quality["landmarks_before_mm"]
    assert len(result["relations"]) == len(right.concordance.relations.pairs) >= 4


def statuses(comparison: Comparison) -> list[str]:
    return [finding.status for finding in comparison.concordance.lesions]


def test_a_moved_registration_moves_both_ways_and_keeps_its_bound() -> None:
    before = identity(Frame("mri"), Frame("pet"))
    after = before.moved(SHIFT_MM)
    np.testing.assert_allclose(after.pet_from_mri.apply([[1.0, 2.0, 3.0]]), [[10.0, -6.0, 9.0]])
    np.testing.assert_allclose(after.mri_from_pet.apply([[10.0, -6.0, 9.0]]), [[1.0, 2.0, 3.0]])
    assert after.error_mm([[0.0, 0.0, 0.0]]) == before.error_mm([[0.0, 0.0, 0.0]])
    assert not after.passed


MRI_GRID = Grid.of(Frame("mri"), (40, 50, 50), spacing_mm=(2.0, 1.5, 1.5))
PET_GRID = Grid.of(Frame("pet"), (40, 40, 40), origin_mm=(-20, -20, -20), spacing_mm=(4, 4, 4))


def moved_by(shift_mm: tuple[float, float, float]) -> Registration:
    return identity(MRI_GRID.frame, PET_GRID.frame).moved(np.array(shift_mm))


def box(grid: Grid, low: tuple[int, ...], high: tuple[int, ...]) -> Mask:
    array = np.zeros(grid.shape, np.bool_)
    array[low[0] : high[0], low[1] : high[1], low[2] : high[2]] = True
    return Mask(grid, array).trimmed()


class TestOnMri:
    def test_a_lesion_drawn_on_the_pet_lands_on_the_mri_with_its_volume(self) -> None:
        # Voxels 10 to 12 of 4 mm from -20: 18 to 30 mm on the PET, its middle at 24.
        drawn = Segment("x", Kind.METASTASIS, box(PET_GRID, (10,) * 3, (13,) * 3), "test")
        got = on_mri(drawn, MRI_GRID, moved_by((3.0, 0.0, -2.0)))
        assert got.mask.frame == MRI_GRID.frame
        assert got.mask.points_mm().mean(axis=0) == pytest.approx([21.0, 24.0, 26.0], abs=0.6)
        assert got.mask.volume_ml == pytest.approx(1.728, rel=0.15)
        assert (got.label, got.meaning, got.source) == ("x", Kind.METASTASIS, "test")
        assert got.is_redrawn

    def test_one_voxel_of_the_pet_is_not_lost(self) -> None:
        drawn = Segment("x", Kind.METASTASIS, box(PET_GRID, (10,) * 3, (11,) * 3), "test")
        got = on_mri(drawn, MRI_GRID, moved_by((0.4, 0.3, 0.2)))
        assert got.mask.volume_ml == pytest.approx(0.064, rel=0.6)

    @pytest.mark.parametrize("shift_mm", [200.0, 24.0])
    def test_what_lies_beside_the_mri_is_refused(self, shift_mm: float) -> None:
        drawn = Segment("x", Kind.METASTASIS, box(PET_GRID, (10,) * 3, (11,) * 3), "SEG segment 7")
        with pytest.raises(InvalidInput, match="SEG segment 7, drawn on the PET/CT: wanted it in"):
            on_mri(drawn, MRI_GRID, moved_by((shift_mm, 0.0, 0.0)))

    def test_what_was_drawn_on_the_mri_stays_as_it_is(self) -> None:
        drawn = Segment("x", Kind.METASTASIS, box(MRI_GRID, (10,) * 3, (13,) * 3), "test")
        assert on_mri(drawn, MRI_GRID, moved_by((3.0, 0.0, -2.0))) is drawn


def test_what_reaches_the_outermost_slice_of_the_mri_may_be_cut() -> None:
    grid = studies()[1].hbp.grid
    slices = (0, 1, grid.shape[0] - 2, grid.shape[0] - 1)
    surfaces = [grid.world([[n, 60.0, 60.0], [30.0, 60.0, 60.0]]) for n in slices]
    found = surroundings(liver(), surfaces, [points[:1] for points in surfaces])
    assert [one.is_cut for one in found] == [True, False, False, True]


def test_a_region_holds_a_lump_of_the_vessels_that_lies_in_it() -> None:
    grid = studies()[1].hbp.grid
    at_lump = replace(liver(), lumps=box(grid, (10, 60, 60), (12, 64, 64)).on(grid))
    surfaces = [grid.world([[10.0, n, 60.0], [10.0, n - 3, 60.0]]) for n in (63, 67)]
    found = surroundings(at_lump, surfaces, [points[:1] for points in surfaces])
    assert [one.holds_lump for one in found] == [True, False]


class TestWithDrawnOnPet:
    """A liver that lies 8 mm lower on the PET than on its CT."""

    LOWER = np.array([0.0, 0.0, -8.0])

    def placed(self, grid: Grid, applied: Transform | None) -> Segment:
        pet, mri = studies()
        drawn = Segment("liver", Structure.LIVER, around(grid, grid.centre_mm, 20.0), "test")
        by = replace(identity(mri.frame, pet.frame), pet_from_ct=applied)
        on_pet, on_mri = with_drawn_on_pet(
            replace(pet, segments=(drawn,)), replace(mri, segments=(drawn,)), by
        )
        assert middle(on_mri.segments[0].mask) == pytest.approx(middle(on_pet.segments[0].mask))
        return on_pet.segments[0]

    def lower(self) -> Transform:
        frame, matrix = studies()[0].frame, np.eye(4)
        matrix[:3, 3] = self.LOWER
        return Transform(frame, frame, matrix)

    def test_what_was_drawn_on_the_ct_goes_where_it_lies_on_the_pet(self) -> None:
        ct = studies()[0].ct
        assert ct is not None
        moved = middle(self.placed(ct.grid, self.lower()).mask)
        there = middle(self.placed(ct.grid, None).mask)
        np.testing.assert_allclose(moved - there, self.LOWER, atol=1e-9)

    def test_what_has_the_voxels_of_the_pet_stays_there_in_any_order_of_its_axes(self) -> None:
        grid = studies()[0].suv.grid
        matrix = grid.world_from_voxel[:, [2, 1, 0, 3]]
        turned = Grid(grid.frame, (grid.shape[2], grid.shape[1], grid.shape[0]), matrix)
        for one in (grid, turned):
            there = middle(self.placed(one, None).mask)
            np.testing.assert_array_equal(middle(self.placed(one, self.lower()).mask), there)

    def test_what_was_drawn_on_the_mri_stays(self) -> None:
        grid = studies()[1].hbp.grid
        there = middle(self.placed(grid, None).mask)
        np.testing.assert_array_equal(middle(self.placed(grid, self.lower()).mask), there)


@cache
def liver() -> Liver:
    return liver_of(studies()[1], Protocol())


def placed(*segments: Segment) -> OnPet:
    """By a registration that is right for the lesions as a whole."""
    pet, mri = studies()
    matrix = mri_from_pet(np.zeros(3))
    maps = PointMap.affine(Transform(mri.frame, pet.frame, matrix))
    back = PointMap.affine(Transform(mri.frame, pet.frame, matrix).inverse)
    by = replace(identity(mri.frame, pet.frame), mri_from_pet=maps, pet_from_mri=back)
    return place_on_pet(pet, replace(mri, segments=segments), liver(), by, Protocol())


def around(grid: Grid, centre_mm: NDArray[np.float64], half_mm: float) -> Mask:
    part = grid.crop(grid.box_around([centre_mm], half_mm))
    return Mask(part, np.ones(part.shape, np.bool_))


def middle(mask: Mask) -> NDArray[np.float64]:
    return np.asarray(mask.points_mm().mean(axis=0))


class TestPlaceOnPet:
    def test_a_lesion_drawn_on_the_pet_is_carried_back_to_where_it_was_drawn(self) -> None:
        mask = around(studies()[0].suv.grid, points("lesions", "pet_mm")[0], 8.0)
        (one,) = placed(Segment("x", Kind.METASTASIS, mask, "on the PET")).lesions
        assert one.lesion.mask.frame == studies()[1].frame
        assert one.centroid_mm == pytest.approx(middle(mask), abs=0.5)
        assert one.lesion.volume_ml == pytest.approx(mask.volume_ml, rel=0.1)

    def test_an_organ_drawn_on_the_mri_lies_on_the_pet_s_grid(self) -> None:
        pet, mri = studies()
        mask = around(mri.hbp.grid, points("lesions", "mri_mm")[1], 20.0)
        got = placed(Segment("x", Structure.STOMACH, mask, "test")).structures[Structure.STOMACH]
        assert got.grid.matches(pet.suv.grid)
        assert middle(got) == pytest.approx(points("lesions", "pet_mm")[1], abs=4.0)

    def test_an_organ_drawn_on_the_pet_stands_before_the_same_of_the_mri(self) -> None:
        pet, mri = studies()
        own = around(pet.suv.grid, points("lesions", "pet_mm")[1], 20.0)
        other = around(mri.hbp.grid, points("lesions", "mri_mm")[0], 20.0)
        got = placed(
            Segment("x", Structure.SPLEEN, own, "test"),
            Segment("y", Structure.SPLEEN, other, "test"),
        ).structures[Structure.SPLEEN]
        assert middle(got) == pytest.approx(middle(own), abs=0.01)

    def test_an_organ_that_falls_beside_the_pet_is_empty(self) -> None:
        grid = Grid.of(studies()[1].frame, (3, 3, 3), origin_mm=(0, 0, 5000))
        drawn = Segment("x", Structure.KIDNEY, box(grid, (0,) * 3, (3,) * 3), "test")
        assert placed(drawn).structures[Structure.KIDNEY].is_empty
