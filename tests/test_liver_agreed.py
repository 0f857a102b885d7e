"""What the MRI calls liver and PET and CT do not is cut out of it; a lesion never is."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from lesionmatch import dicom
from lesionmatch.compare import Options, compare_studies, story
from lesionmatch.compare.agreed import liver_as_agreed
from lesionmatch.compare.drawn import FOUND_ON_HBP, described
from lesionmatch.errors import InvalidInput, WrongQuantity
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.agreed import Views, cold_part, lost_liver, other_organs
from lesionmatch.progress import Progress
from lesionmatch.protocol import Protocol
from lesionmatch.registration import Registration, identity
from lesionmatch.segments import Kind, Segment

FIXTURE = Path(__file__).parent.parent / "fixtures" / "demo"
RULES = Protocol()
SIDE, STEP_MM = 56, 3.0
MIDDLE = (28, 28, 28)
LIVER_MM = 55.0
AT_THE_EDGE = (28, 28, 46)
"""54 mm from the middle: a ball here lies half in the liver."""

Where = NDArray[np.bool_]


def grid_in(frame: str) -> Grid:
    return Grid.of(
        Frame(frame),
        (SIDE, SIDE, SIDE),
        origin_mm=(0.0, 0.0, 0.0),
        spacing_mm=(STEP_MM,) * 3,
        directions=np.eye(3)[:, ::-1],
    )


def ball(centre: tuple[int, int, int], radius_mm: float) -> Where:
    z, y, x = np.indices((SIDE, SIDE, SIDE)) * STEP_MM
    off = [axis - middle * STEP_MM for axis, middle in zip((z, y, x), centre, strict=True)]
    return np.asarray(sum(one**2 for one in off) < radius_mm**2)


LIVER = ball(MIDDLE, LIVER_MM)


@dataclass
class Scene:
    """A liver in fat; what is added to it is in the mask as far as `masked` says."""

    masked: Where
    brightness: NDArray[np.float32]
    suv: NDArray[np.float32]
    hu: NDArray[np.float32]
    drawn: Where

    def add(self, where: Where, brightness: float, suv: float, hu: float) -> "Scene":
        for array, value in ((self.brightness, brightness), (self.suv, suv), (self.hu, hu)):
            array[where] = value
        return self

    def cut(self, rules: Protocol = RULES) -> Where:
        return other_organs(self.views(), rules).array

    def lost_ml(self, rules: Protocol = RULES) -> float:
        return lost_liver(self.views(), rules).volume_ml

    def views(self) -> Views:
        grid = grid_in("pet")
        return Views(
            Mask(grid, self.masked),
            Mask(grid, self.drawn),
            Image(grid, self.brightness, Quantity.ARBITRARY),
            Image(grid, self.suv, Quantity.SUV_BW),
            Image(grid, self.hu, Quantity.HOUNSFIELD),
        )


def scene(liver: Where = LIVER, masked: Where = LIVER) -> Scene:
    return Scene(
        masked.copy(),
        np.where(liver, 1.0, 0.2).astype(np.float32),
        np.where(liver, 5.0, 0.5).astype(np.float32),
        np.where(liver, 110.0, -90.0).astype(np.float32),
        np.zeros_like(liver),
    )


def ml(where: Where) -> float:
    return float(np.count_nonzero(where) * STEP_MM**3 / 1000.0)


def test_a_kidney_as_bright_as_the_liver_is_cut_out_of_it() -> None:
    kidney = ball(AT_THE_EDGE, 25.0)
    made = scene(LIVER & ~kidney, LIVER | kidney).add(kidney, 1.0, 15.0, 170.0)
    cut = made.cut()
    assert ml(kidney & ~cut) < 0.1 * ml(kidney)
    assert ml(cut & ~kidney) < 0.07 * ml(kidney)


def test_without_other_organs_nothing_is_cut() -> None:
    assert not scene().cut().any()


def test_the_colon_goes_with_its_gas() -> None:
    colon, gas = ball(AT_THE_EDGE, 25.0), ball(AT_THE_EDGE, 12.0)
    made = scene(LIVER & ~colon, LIVER | colon).add(colon, 1.0, 1.0, 20.0)
    cut = made.add(gas, 0.03, 0.5, -900.0).cut()
    assert ml(gas & ~cut) < 0.1 * ml(gas)
    assert ml(cut & ~colon) < 0.07 * ml(colon)


def test_a_hot_metastasis_at_the_capsule_is_dark_on_the_mri_and_stays() -> None:
    for diameter_mm in (20.0, 40.0, 60.0):
        lesion = ball(AT_THE_EDGE, diameter_mm / 2.0)
        made = scene(LIVER, LIVER | lesion).add(lesion, 0.4, 30.0, 70.0)
        assert not made.cut().any(), diameter_mm


def test_a_metastasis_that_neither_mri_nor_ct_show_stays_however_hot() -> None:
    lesion = ball((28, 28, 40), 15.0)
    assert not scene().add(lesion, 1.0, 40.0, 100.0).cut().any()


def test_a_kidney_of_the_density_of_a_fatty_liver_is_known_by_its_uptake_where_it_is_large() -> (
    None
):
    for radius_mm, is_cut in ((28.0, True), (18.0, False)):
        kidney = ball(AT_THE_EDGE, radius_mm)
        made = scene(LIVER & ~kidney, LIVER | kidney).add(kidney, 1.0, 15.0, 110.0)
        assert made.cut().any() == is_cut


def test_what_the_pet_alone_shows_as_cold_stays_and_is_told() -> None:
    cold = ball(AT_THE_EDGE, 28.0) & LIVER
    made = scene().add(cold, 1.0, 0.5, 110.0)
    assert not made.cut().any()
    told = cold_part(made.views(), RULES).array
    # Smoothed, the layer beside what is warm is not cold enough.
    assert (told & cold).sum() > 0.75 * cold.sum()
    assert (told & ~cold).sum() < 0.05 * cold.sum()
    assert not cold_part(scene().views(), RULES).array.any()
    assert not cold_part(scene().add(cold, 1.0, 15.0, 110.0).views(), RULES).array.any()


def test_what_was_drawn_as_a_lesion_stays_whatever_it_looks_like() -> None:
    lesion = ball(AT_THE_EDGE, 20.0)
    made = scene(LIVER, LIVER | lesion).add(lesion, 1.0, 20.0, 180.0)
    assert (made.cut() & lesion).any()
    made.drawn |= lesion
    assert not made.cut().any()


def test_fat_in_a_part_of_the_liver_that_takes_up_as_much_stays() -> None:
    assert not scene().add(ball(AT_THE_EDGE, 25.0) & LIVER, 1.0, 5.0, 75.0).cut().any()


def test_a_layer_where_images_do_not_fit_each_other_stays() -> None:
    moved = ball((30, 28, 28), LIVER_MM)  # by 6 mm, as far as a breath is off
    assert not scene(moved).add(~moved & LIVER, 1.0, 0.5, -90.0).cut().any()
    far = ball((34, 28, 28), LIVER_MM)
    assert scene(far).add(~far & LIVER, 1.0, 0.5, -90.0).cut().any()


def test_a_small_body_stays() -> None:
    small = ball((28, 28, 43), 9.0)
    made = scene().add(small, 1.0, 0.5, 0.0)
    assert not made.cut().any()
    assert made.cut(with_rules(other_least_ml=0.5, other_ball_mm=2.0)).any()


def with_rules(**changes: float) -> Protocol:
    return replace(RULES, neighbours=replace(RULES.neighbours, **changes))


def test_a_lobe_that_lies_apart_stays_where_an_organ_is_cut_out_elsewhere() -> None:
    kidney, lobe = ball(AT_THE_EDGE, 25.0), ball((28, 28, 2), 14.0)
    made = scene((LIVER & ~kidney) | lobe, LIVER | kidney | lobe).add(kidney, 1.0, 15.0, 170.0)
    cut = made.cut()
    assert (cut & kidney).any()
    assert not (cut & lobe).any()


def test_where_tumour_leaves_hardly_any_bright_liver_nothing_is_cut() -> None:
    kidney, tumour = ball(AT_THE_EDGE, 25.0), ball(MIDDLE, 50.0)
    made = scene(LIVER, LIVER | kidney).add(kidney, 1.0, 15.0, 170.0)
    assert made.cut().any()
    assert not made.add(tumour, 0.4, 30.0, 70.0).cut().any()


TREATED = LIVER & (np.indices((SIDE, SIDE, SIDE))[2] < 24)
"""A right lobe that ends at a straight border."""


def treated(brightness: float = 0.72, suv: float = 5.0, hu: float = 110.0) -> Scene:
    """A liver of which the treated lobe is not in the mask."""
    return scene(LIVER, LIVER & ~TREATED).add(TREATED, brightness, suv, hu)


def test_a_treated_lobe_that_the_mri_shows_darker_is_lost_liver() -> None:
    for uptake, density in ((5.0, 110.0), (3.9, 100.0)):
        # A ball does not fit into the sharp rim of the lobe.
        assert 0.6 < treated(suv=uptake, hu=density).lost_ml() / ml(TREATED) <= 1.0


def test_another_organ_beside_the_liver_is_no_lost_liver() -> None:
    assert treated(suv=15.0).lost_ml() == 0.0
    assert treated(suv=0.6, hu=62.0).lost_ml() == 0.0
    assert treated(hu=20.0).lost_ml() == 0.0


def test_liver_that_the_mri_does_not_cover_is_not_lost() -> None:
    assert treated(brightness=0.0).lost_ml() == 0.0


def test_of_a_whole_liver_nothing_is_lost_where_images_do_not_fit_each_other() -> None:
    moved = ball((32, 28, 28), LIVER_MM)  # by 12 mm, twice as far as a breath is off
    assert scene(LIVER, moved).lost_ml() == 0.0
    assert scene(LIVER, ball((36, 28, 28), LIVER_MM)).lost_ml() > 0.0


def test_a_small_lost_body_is_none() -> None:
    assert treated().lost_ml(with_rules(lost_least_ml=500.0)) == 0.0


def test_where_tumour_leaves_hardly_any_bright_liver_nothing_is_lost() -> None:
    assert treated().add(LIVER & ~TREATED, 0.4, 30.0, 70.0).lost_ml() == 0.0


def test_views_of_several_grids_are_refused() -> None:
    views = scene().views()
    other = Mask(grid_in("mri"), views.lesions.array)
    with pytest.raises(InvalidInput, match="wanted one grid"):
        replace(views, lesions=other)
    with pytest.raises(WrongQuantity):
        replace(views, suv=views.ct)


# --- in a study


@dataclass
class Pair:
    """Two studies of a scene whose frames coincide."""

    pet: dicom.PetStudy
    mri: dicom.MriStudy


def pair(made: Scene, lesion: Where | None = None) -> Pair:
    pet = dicom.read_pet_study([FIXTURE / "pet"])
    mri = dicom.read_mri_study([FIXTURE / "mri"], pet=pet)
    views, grid = made.views(), grid_in("mri")
    hbp = Image(grid, 100.0 * made.brightness, Quantity.ARBITRARY)
    lesions = () if lesion is None else (Mask(grid, lesion).trimmed(),)
    segments = tuple(Segment("Met", Kind.METASTASIS, one, "SEG segment 1") for one in lesions)
    return Pair(
        replace(pet, suv=views.suv, ct=views.ct, segments=()),
        replace(mri, hbp=hbp, segments=segments),
    )


def with_kidney() -> tuple[Scene, Where]:
    kidney = ball(AT_THE_EDGE, 25.0)
    made = scene(LIVER & ~kidney, LIVER | kidney).add(kidney, 1.0, 15.0, 170.0)
    return made, kidney


def test_the_liver_of_a_study_says_what_was_cut_out_of_it() -> None:
    made, kidney = with_kidney()
    two = pair(made)
    liver = described(two.mri, Mask(grid_in("mri"), made.masked), FOUND_ON_HBP, RULES)
    there = proved(two)
    agreed = liver_as_agreed(two.pet, two.mri, liver, there, RULES)
    cut_ml = liver.volume_ml - agreed.volume_ml
    assert cut_ml == pytest.approx(ml(kidney), rel=0.1)
    assert agreed.origin == (
        f"found on the hepatobiliary image, without {cut_ml:.0f} ml that PET and CT show to be "
        "another organ"
    )
    assert not any("another organ" in doubt for doubt in agreed.doubts)
    strict = with_rules(other_doubt_share=0.05)
    doubted = liver_as_agreed(two.pet, two.mri, liver, there, strict)
    said = (
        r"of the liver found on the MRI (\d+) ml, \d+% of it, mostly .*left of.* its middle, are "
        r"not the liver's by uptake and density; (\d+) ml were left out as another organ"
    )
    told = re.fullmatch(said, doubted.doubts[-1])
    assert told is not None
    assert [float(ml) for ml in told.groups()] == pytest.approx([cut_ml] * 2, rel=0.05)


def test_a_lesion_drawn_beside_the_organ_stays_in_the_liver_of_a_study() -> None:
    made, kidney = with_kidney()
    lesion = ball((28, 34, 44), 9.0)
    two = pair(made, lesion)
    liver = described(two.mri, Mask(grid_in("mri"), made.masked), FOUND_ON_HBP, RULES)
    agreed = liver_as_agreed(two.pet, two.mri, liver, proved(two), RULES)
    assert (lesion & kidney).any()
    assert agreed.volume_ml < liver.volume_ml
    assert agreed.mask.array[lesion].all()


def proved(two: Pair) -> Registration:
    """The right map, as if the images had been asked for it."""
    return replace(identity(two.mri.frame, two.pet.frame), method="rigid")


def test_nothing_is_cut_out_of_a_drawn_liver_nor_without_a_ct_nor_by_an_unproved_map() -> None:
    made, _ = with_kidney()
    two = pair(made)
    liver = described(two.mri, Mask(grid_in("mri"), made.masked), FOUND_ON_HBP, RULES)
    there = proved(two)
    assert liver_as_agreed(two.pet, two.mri, liver, there, RULES) is not liver
    drawn = replace(liver, origin="given")
    assert liver_as_agreed(two.pet, two.mri, drawn, there, RULES) is drawn
    alone = replace(two.pet, ct=None)
    assert liver_as_agreed(alone, two.mri, liver, there, RULES) is liver
    doubtful = there.doubted(("it may be another patient's liver",))
    for other in (doubtful, replace(there, method="given"), replace(there, method="identity")):
        assert liver_as_agreed(two.pet, two.mri, liver, other, RULES) is liver


def test_what_the_ct_does_not_cover_is_not_cut_out() -> None:
    made, kidney = with_kidney()
    two = pair(made)
    assert two.pet.ct is not None
    part = two.pet.ct.crop((slice(0, SIDE), slice(0, SIDE), slice(0, 36)))
    liver = described(two.mri, Mask(grid_in("mri"), made.masked), FOUND_ON_HBP, RULES)
    short = replace(two.pet, ct=part)
    agreed = liver_as_agreed(short, two.mri, liver, proved(two), RULES)
    assert (agreed.mask.array[kidney] == liver.mask.array[kidney]).all()


def test_the_liver_of_a_study_is_doubted_where_a_treated_lobe_was_left_out() -> None:
    made = treated()
    two = pair(made)
    liver = described(two.mri, Mask(grid_in("mri"), made.masked), FOUND_ON_HBP, RULES)
    (doubt,) = set(liver_as_agreed(two.pet, two.mri, liver, proved(two), RULES).doubts) - set(
        liver.doubts
    )
    assert re.search("ml with the liver's uptake and density .*right of the middle", doubt)
    whole = pair(scene())
    liver = described(whole.mri, Mask(grid_in("mri"), LIVER), FOUND_ON_HBP, RULES)
    agreed = liver_as_agreed(whole.pet, whole.mri, liver, proved(whole), RULES)
    assert agreed.doubts == liver.doubts


def test_a_spleen_of_the_livers_uptake_is_no_lost_liver() -> None:
    near = replace(RULES, liver=replace(RULES.liver, spleen_lateral_mm=20.0))
    for side, rules, is_doubted in ((1, RULES, True), (-1, near, False), (1, near, True)):
        beside = TREATED[:, :, ::side]
        two = pair(scene(LIVER, LIVER & ~beside).add(beside, 0.5, 5.0, 110.0))
        liver = described(two.mri, Mask(grid_in("mri"), LIVER & ~beside), FOUND_ON_HBP, rules)
        agreed = liver_as_agreed(two.pet, two.mri, liver, proved(two), rules)
        assert any("PET and CT show" in doubt for doubt in agreed.doubts) == is_doubted


def test_the_liver_of_a_study_is_doubted_where_much_of_it_takes_up_far_less() -> None:
    for radius_mm, is_doubted in ((45.0, True), (20.0, False)):
        cold = ball(AT_THE_EDGE, radius_mm) & LIVER
        two = pair(scene().add(cold, 1.0, 0.5, 110.0))
        liver = described(two.mri, Mask(grid_in("mri"), LIVER), FOUND_ON_HBP, RULES)
        agreed = liver_as_agreed(two.pet, two.mri, liver, proved(two), RULES)
        said = "its middle, are not the liver's by uptake and density; 0 ml were left out"
        assert any(said in doubt for doubt in agreed.doubts) == is_doubted
        assert agreed.volume_ml == liver.volume_ml


def test_a_comparison_reads_the_pet_without_the_organ(monkeypatch: pytest.MonkeyPatch) -> None:
    made, kidney = with_kidney()
    noise = np.random.default_rng(7).normal(1.0, 0.1, made.suv.shape)
    made.suv = (made.suv * noise).astype(np.float32)
    two = pair(made)
    monkeypatch.setattr(story, "register", lambda *_, **__: proved(two))
    comparison = compare_studies(two.pet, two.mri, Options(), Progress(is_quiet=True))
    assert "PET and CT show to be another organ" in comparison.liver.origin
    read = comparison.liver_on_pet.array
    assert ml(read & kidney) < 0.1 * ml(kidney)
    assert ml(LIVER & ~kidney & ~read) < 0.05 * ml(LIVER)
