"""Where in an image the liver is looked for: beside kidneys, and by drawn lesions."""

import numpy as np
from numpy.typing import NDArray

from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver.mirror import has_twin, midline_mm
from lesionmatch.liver.seed import find_seed

GRID = Grid.of(Frame("mri"), (40, 60, 80), origin_mm=(-158, -118, -78), spacing_mm=(4, 4, 4))
X, Y, Z = np.moveaxis(GRID.world(np.indices(GRID.shape).reshape(3, -1).T), 1, 0).reshape(
    3, *GRID.shape
)
Voxels = NDArray[np.bool_]


def ball(radius_mm: float, x: float, y: float, z: float) -> Voxels:
    return np.asarray((X - x) ** 2 + (Y - y) ** 2 + (Z - z) ** 2 <= radius_mm**2)


BODY = (X / 150) ** 2 + (Y / 110) ** 2 <= 1.0
LIVER_TIP = ball(46.0, -70.0, -10.0, 90.0)
"""What the MRI covers of a liver: its last 34 mm, smaller than a kidney."""
RIGHT_KIDNEY, LEFT_KIDNEY = ball(34.0, -62.0, 50.0, -10.0), ball(34.0, 66.0, 54.0, -6.0)


def image(**brightness: tuple[float, Voxels]) -> Image:
    values = np.where(BODY, 30.0, 0.0)
    for value, region in brightness.values():
        values[region] = value
    return Image(GRID, values.astype(np.float32), Quantity.ARBITRARY)


def share_in(seed: Mask | None, organ: Voxels) -> float:
    assert seed is not None
    points = seed.points_mm()
    voxels = np.rint(GRID.voxels(points[GRID.contains(points)])).astype(int)
    return float(organ[tuple(voxels.T)].mean())


def test_a_kidney_larger_and_brighter_than_what_is_seen_of_the_liver_is_not_its_seed() -> None:
    both = image(
        liver=(95.0, LIVER_TIP), right=(100.0, RIGHT_KIDNEY), left=(100.0, LEFT_KIDNEY)
    )  # fmt: skip
    assert share_in(find_seed(both), LIVER_TIP) > 0.8
    # Without its twin it is the largest and brightest place on the right.
    single = image(liver=(95.0, LIVER_TIP), right=(100.0, RIGHT_KIDNEY))
    assert share_in(find_seed(single), RIGHT_KIDNEY) > 0.8


def test_a_drawn_lesion_tells_the_liver_from_a_larger_and_brighter_organ() -> None:
    lesion = ball(10.0, -70.0, -20.0, 66.0)
    single = image(
        liver=(95.0, LIVER_TIP), right=(100.0, RIGHT_KIDNEY), lesion=(50.0, lesion)
    )  # fmt: skip
    assert share_in(find_seed(single), RIGHT_KIDNEY) > 0.8
    assert share_in(find_seed(single, Mask(GRID, lesion)), LIVER_TIP) > 0.8


def test_a_lesion_drawn_elsewhere_does_not_make_a_darker_organ_the_liver() -> None:
    liver, stomach = ball(60.0, -70.0, -10.0, 40.0), ball(40.0, 60.0, -20.0, 0.0)
    both = image(liver=(100.0, liver), stomach=(60.0, stomach))
    wrong = Mask(GRID, ball(12.0, 70.0, -20.0, 10.0))
    assert share_in(find_seed(both, wrong), liver) > 0.9


def test_what_has_something_about_as_bright_at_its_mirror_image_has_a_twin() -> None:
    values = image(right=(100.0, RIGHT_KIDNEY), left=(80.0, LEFT_KIDNEY), liver=(90.0, LIVER_TIP))
    midline = midline_mm(values)
    assert abs(midline) < 4.0
    twinned = has_twin(values.array, GRID, midline)
    assert twinned[RIGHT_KIDNEY].all()
    assert not twinned[LIVER_TIP].any()
    # What is counted among the others decides.
    without_left = np.where(LEFT_KIDNEY, 0.0, values.array).astype(np.float32)
    assert not has_twin(values.array, GRID, midline, without_left)[RIGHT_KIDNEY].any()
