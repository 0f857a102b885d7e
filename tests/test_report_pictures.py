"""Planes, outlines and pictures: the right thing in the right place, as large as it is."""

import base64
import zlib
from dataclasses import replace
from itertools import permutations, product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from lesionmatch.geometry import Frame, Grid
from lesionmatch.report import palette, words
from lesionmatch.report.case import Case, Images, read_case
from lesionmatch.report.checks import checks
from lesionmatch.report.outline import Line, regions
from lesionmatch.report.overlays import (
    FOOT,
    HEAD,
    PANEL,
    Scene,
    field_mm,
    overlay,
    scene,
    suv_window,
)
from lesionmatch.report.palette import Rgb, Window
from lesionmatch.report.projection import projection
from lesionmatch.report.strokes import Stroke, ink
from lesionmatch.report.viewer import viewer_data
from lesionmatch.report.volume import Plane, View, Volume, volume_of
from tests.report_case import build, lesion_row

F = Frame("1.2.3")
SLOPE = np.array([1.0, 20.0, 300.0])


def ramp(grid: Grid) -> Volume:
    """x + 20 y + 300 z at every voxel."""
    points = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1))
    return volume_of(grid, points @ SLOPE)


def at(volume: Volume, *point_mm: float) -> float:
    x, y, z = (np.array([value]) for value in point_mm)
    return float(volume.at(x, y, z).array[0, 0, 0])


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("signs", list(product((1.0, -1.0), repeat=3)))
def test_a_grid_stored_in_any_order_shows_the_same_body(
    order: tuple[int, ...], signs: tuple[float, ...]
) -> None:
    directions = np.eye(3)[:, list(order)] * np.array(signs)
    grid = Grid.of(F, (9, 10, 11), spacing_mm=(2, 3, 4), directions=directions)
    place = grid.centre_mm + np.array([0.7, -1.1, 1.3])
    assert at(ramp(grid), *place) == pytest.approx(float(place @ SLOPE), abs=1e-2)


def test_an_oblique_grid_is_straightened() -> None:
    turn = np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]]) @ np.eye(3)[:, ::-1]
    grid = Grid.of(F, (30, 30, 30), spacing_mm=(2, 2, 2), directions=turn)
    place = grid.centre_mm
    assert at(ramp(grid), *place) == pytest.approx(float(place @ SLOPE), rel=1e-3)


@pytest.mark.parametrize(
    ("view", "corner", "expected"),
    [
        (View.AXIAL, "left top", (-30, -40, 0)),
        (View.CORONAL, "left top", (-30, 0, 50)),
        (View.SAGITTAL, "left top", (0, -40, 50)),
        (View.AXIAL, "right bottom", (30, 40, 0)),
        (View.CORONAL, "right bottom", (30, 0, -50)),
        (View.SAGITTAL, "right bottom", (0, 40, -50)),
    ],
)
def test_right_is_on_the_left_front_on_top_or_left_and_the_head_up(
    view: View, corner: str, expected: tuple[float, float, float]
) -> None:
    column, row = Plane(view, np.zeros(3), 200.0, 100).pixel_of(np.array(expected, float))
    assert (column < 50) == ("left" in corner)
    assert (row < 50) == ("top" in corner)


@pytest.mark.parametrize("view", list(View))
def test_a_cut_shows_a_point_at_the_pixel_that_the_plane_names(view: View) -> None:
    grid = Grid.of(F, (40, 40, 40), spacing_mm=(2, 2, 2))
    array = np.zeros(grid.shape)
    array[22, 17, 25] = 1.0
    point = grid.world((22.0, 17.0, 25.0))
    centre = np.array([40.0, 40.0, 40.0])
    centre[view.across] = point[view.across]
    plane = Plane(view, centre, 60.0, 120)
    row, column = np.unravel_index(int(volume_of(grid, array).cut(plane).argmax()), (120, 120))
    assert (column + 0.5, row + 0.5) == pytest.approx(plane.pixel_of(point), abs=1.0)


def test_beyond_the_image_there_is_nothing() -> None:
    volume = volume_of(Grid.of(F, (4, 4, 4)), np.ones((4, 4, 4)))
    plane = Plane(View.AXIAL, np.array([0.0, 0.0, 1.0]), 8.0, 8)
    assert np.isnan(volume.cut(plane)[0]).all()
    beyond = Plane(View.AXIAL, np.array([0.0, 0.0, 5.0]), 8.0, 8)
    assert np.isnan(volume.cut(beyond)).all()


@pytest.mark.parametrize("view", list(View))
def test_a_cut_is_the_same_to_the_last_bit_on_any_number_of_threads(view: View) -> None:
    grid = Grid.of(F, (60, 150, 150), spacing_mm=(2, 1.5, 1.5))
    volume = volume_of(grid, np.random.default_rng(3).normal(size=grid.shape))
    plane = Plane(view, grid.centre_mm + 0.3, 60.0, 256)

    def drawn(threads: int) -> tuple[bytes, bytes]:
        with threadpool_limits(threads):
            return volume.cut(plane).tobytes(), volume.at(*finer).array.tobytes()

    finer = [volume.axis_mm(axis)[:-1] + 0.4 for axis in range(3)]
    assert len({drawn(threads) for threads in (1, 2, 3, 4)}) == 1


def ball(diameter_mm: float, spacing_mm: float = 1.5, *, shift: float = 0.4) -> Volume:
    grid = Grid.of(F, (40, 40, 40), spacing_mm=np.full(3, spacing_mm))
    points = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1))
    centre = grid.centre_mm + shift
    inside = np.linalg.norm(points - centre, axis=-1) <= diameter_mm / 2
    return volume_of(grid, inside.astype(np.uint16), is_label=True)


def outline_of(labels: Volume, shift: float = 0.4) -> tuple[Line, Plane]:
    plane = Plane(View.AXIAL, labels.centre_mm + shift, 60.0, 256)
    (line,) = regions(labels)[1].lines(plane)
    return line, plane


@pytest.mark.parametrize("diameter_mm", [5.0, 8.0, 20.0])
def test_an_outline_is_a_smooth_circle_of_the_lesions_size(diameter_mm: float) -> None:
    line, plane = outline_of(ball(diameter_mm))
    radii = np.linalg.norm(line - 128, axis=1) * plane.pixel_mm
    assert radii.mean() == pytest.approx(diameter_mm / 2, abs=0.35)
    assert radii.std() < 0.3
    steps = np.diff(line, axis=0)
    steps = steps[np.linalg.norm(steps, axis=1) > 0.05]
    turns = np.abs(np.diff(np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))))
    # A staircase turns by 90 degrees at every corner.
    assert np.degrees(turns).max() < 40


def test_a_single_voxel_still_has_an_outline() -> None:
    line, plane = outline_of(ball(1.0, shift=-0.75), shift=-0.75)
    radius = (np.linalg.norm(line - line.mean(0), axis=1) * plane.pixel_mm).mean()
    # The ball of one voxel's volume has a radius of 0.93 mm.
    assert radius == pytest.approx(0.93, abs=0.35)


def test_a_plane_beside_the_region_has_no_outline() -> None:
    labels = ball(8.0)
    away = Plane(View.AXIAL, labels.centre_mm + np.array([0.0, 0.0, 20.0]), 60.0, 256)
    assert regions(labels)[1].lines(away) == []


def drawn_over_black(stroke: Stroke) -> palette.Rgb:
    square = np.array([[20, 20], [100, 20], [100, 100], [20, 100], [20, 20]], float)
    plane = Plane(View.AXIAL, np.zeros(3), 60.0, 120)
    return ink([([square], stroke)], plane).over(np.zeros((120, 120, 3), np.uint8))


def test_dashes_leave_gaps_and_solid_lines_do_not() -> None:
    solid = drawn_over_black(Stroke((255, 255, 255), 2))[20, 22:98, 0] / 255
    dashed = drawn_over_black(Stroke((255, 255, 255), 2, (6, 4)))[20, 22:98, 0] / 255
    assert solid.min() > 0.4
    assert dashed.min() == 0.0
    assert dashed.sum() / solid.sum() == pytest.approx(0.6, abs=0.1)


def test_a_line_has_a_dark_casing_that_stands_on_white() -> None:
    square = np.array([[20, 60], [100, 60]], float)
    plane = Plane(View.AXIAL, np.zeros(3), 60.0, 120)
    white = np.full((120, 120, 3), 255, np.uint8)
    row = ink([([square], Stroke((255, 255, 255), 2))], plane).over(white)[54:66, 70, 0]
    assert row.min() < 170
    assert row.max() == 255


@pytest.mark.parametrize(("field_mm", "length_mm"), [(60.0, 20), (150.0, 50), (24.0, 5)])
def test_the_scale_bar_is_as_long_as_it_says(field_mm: float, length_mm: int) -> None:
    plane = Plane(View.AXIAL, np.zeros(3), field_mm, 240)
    drawn = ink([], plane).over(np.zeros((240, 240, 3), np.uint8))
    (columns,) = np.nonzero(drawn[232, :, 0] > 200)
    assert np.ptp(columns) == len(columns) - 1
    assert np.ptp(columns) * plane.pixel_mm == pytest.approx(length_mm, abs=plane.pixel_mm)
    assert columns[-1] == 232


def test_high_uptake_is_dark_on_the_pet_and_absent_voxels_are_neither() -> None:
    values = np.array([[0.0, 5.0, 10.0, np.nan]], np.float32)
    drawn = palette.grey(values, Window(0.0, 10.0), is_inverse=True)[0]
    assert drawn[:3, 0].tolist() == [255, 128, 0]
    assert tuple(drawn[3]) == palette.OUTSIDE


def test_without_uptake_the_anatomy_is_seen_unchanged() -> None:
    below = np.array([[0.5, 0.5, 0.5]], np.float32)
    suv = np.array([[0.0, 10.0, np.nan]], np.float32)
    drawn = palette.fused(below, Window(0, 1), suv, Window(0.0, 10.0))[0]
    assert drawn[0].tolist() == [128, 128, 128] == drawn[2].tolist()
    # The hottest colour is pale yellow.
    assert drawn[1, 0] > 220 > 170 > drawn[1, 2] - 10


def test_the_field_follows_the_lesion_within_limits() -> None:
    sizes = [field_mm(lesion_row("L1", (0, 0, 0), long_axis_mm=axis)) for axis in (4, 22, 90, None)]
    assert sizes == [60.0, 90.0, 180.0, 60.0]


def test_the_suv_range_holds_liver_and_lesion_but_is_not_swamped() -> None:
    tops = [suv_window(lesion_row("L1", (0, 0, 0), suv_max=s), 5.0).high for s in (3.0, 17.2, 80.0)]
    assert tops == [10.0, 18.0, 25.0]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return read_case(build(tmp_path_factory.mktemp("pictures")))


@pytest.fixture(scope="module")
def prepared(case: Case) -> Scene:
    return scene(case)


def test_the_overlay_outlines_the_lesion_in_every_panel(case: Case, prepared: Scene) -> None:
    picture = overlay(prepared, case.lesions[0])
    assert picture is not None
    assert picture.shape == (HEAD + 3 * PANEL + 2 * 3 + FOOT, 4 * PANEL + 3 * 3, 3)
    blue = (np.abs(picture.astype(int) - palette.LESION).max(-1) < 40)[HEAD:]
    radius = 6.0 / 60 * PANEL
    for row, column in product(range(3), range(4)):
        top, left = row * (PANEL + 3), column * (PANEL + 3)
        panel = blue[top : top + PANEL, left : left + PANEL]
        rows, columns = np.nonzero(panel[64:192, 64:192])
        assert np.hypot(rows - 64, columns - 64).mean() == pytest.approx(radius, rel=0.12)


def test_the_focus_of_a_lesion_is_dashed_and_wider(case: Case, prepared: Scene) -> None:
    picture = overlay(prepared, case.lesions[0])
    assert picture is not None
    yellow = (np.abs(picture.astype(int) - palette.FOCUS).max(-1) < 50)[HEAD:, :PANEL]
    rows, columns = np.nonzero(yellow[64:192, 64:192])
    assert np.hypot(rows - 64, columns - 64).mean() > 6.0 / 60 * PANEL


def test_without_a_ct_its_panels_are_empty_and_nothing_fails(case: Case) -> None:
    images = case.images
    bare = replace(
        images, ct=None, mri=None, mri_start=None, liver=None, lesions=None, foci=None, error=None
    )
    picture = overlay(scene(Case(case.out, case.comparison, {}, bare)), case.lesions[0])
    assert picture is not None
    middle = picture[HEAD + 100, 2 * (PANEL + 3) + 60]
    assert tuple(middle) == palette.OUTSIDE


def test_words_of_a_missed_lesion(case: Case) -> None:
    row = case.lesions[1]
    assert words.headline(row) == "L2 · metastasis · on MRI only · negative on PET"
    assert words.measures(row) == (
        "5.0 × 4.5 mm · SUVmax 5.6 · tumour/liver 1.10 · contrast/noise 1.2 · "
        "registration error 3.4 mm"
    )
    assert words.because(row) == "Flags: small, below 1 cm  |  Why: too small for the PET"


def test_numbers_that_do_not_exist_are_not_shown_as_numbers() -> None:
    assert words.number(None, "mm") == "n/a"
    assert words.number(1234.5, "ml") == "1,234 ml"
    assert words.number(999.6) == "1,000"
    assert words.words(words.REASONS, "some_new_reason") == "some new reason"


def test_the_projection_marks_a_lesion_where_it_is(case: Case) -> None:
    suv = case.images.whole_suv
    assert suv is not None
    made = projection(suv, None, case.lesions, 5.0)
    mark = made.marks[0]
    left, top = suv.first_mm[0] - 2.0, suv.last_mm[2] + 2.0
    assert (mark.x, mark.y) == pytest.approx((-50 - left, top - 10))
    row, column = int(mark.y), int(mark.x)
    # The lesion is dark, 20 mm beside it there is only liver.
    assert made.picture[row, column, 0] < 100 < made.picture[row, column - 20, 0]


def test_labels_of_neighbours_do_not_lie_on_one_another(case: Case) -> None:
    suv = case.images.whole_suv
    assert suv is not None
    rows = [lesion_row(f"L{n}", (-50 + 5 * n, 0, 0)) for n in range(6)]
    marks = projection(suv, None, rows, 5.0).marks
    labels = np.array([[mark.label_x, mark.label_y] for mark in marks])
    gaps = np.linalg.norm(labels[:, None] - labels[None], axis=-1) + 99 * np.eye(6)
    assert gaps.min() > 6.0


def test_the_checks_show_both_images_both_times_and_the_error(prepared: Scene) -> None:
    assert [check.name for check in checks(prepared)] == [
        "hbp", "ct", "pet", "around", "before", "after", "error",
    ]  # fmt: skip


def test_without_a_liver_there_is_nothing_to_check(case: Case) -> None:
    images = replace(case.images, liver=None)
    assert checks(scene(Case(case.out, case.comparison, {}, images))) == ()


def test_one_check_reaches_as_far_as_the_mri(case: Case, prepared: Scene) -> None:
    by_name = {check.name: check.picture for check in checks(prepared)}
    near, wide = (outline_pixels(by_name[name]) for name in ("hbp", "around"))
    fields = [extent_mm(case.images.liver).max(), extent_mm(case.images.whole_mri)[:2].max()]
    assert wide / near == pytest.approx((fields[0] + 30.0) / (fields[1] + 30.0), rel=0.05)


def outline_pixels(picture: Rgb) -> float:
    """From side to side of the liver's outline in the first picture of a strip."""
    is_line = np.abs(picture[20:, :232].astype(int) - palette.LESION).max(-1) < 60
    return float(np.ptp(np.flatnonzero(is_line.any(axis=0))))


def extent_mm(volume: Volume | None) -> NDArray[np.float64]:
    """(3,) along x, y, z, of what is not nothing."""
    assert volume is not None
    used = np.argwhere(volume.array > 0)[:, ::-1] * volume.spacing_mm
    return np.asarray(np.ptp(used, axis=0))


def test_the_checkerboard_takes_turns(prepared: Scene) -> None:
    by_name = {check.name: check.picture for check in checks(prepared)}
    both = np.stack([by_name["hbp"], by_name["ct"]])[:, 100:130, 100:130]
    board = by_name["after"][100:130, 100:130]
    is_either = (np.abs(both.astype(int) - board).max(-1) <= 2).any(0)
    assert is_either.mean() > 0.95


def unpack(text: str) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8)


def test_the_viewer_holds_the_images_values(case: Case, prepared: Scene) -> None:
    data = viewer_data(case, prepared)
    assert data is not None
    suv, pet = case.images.suv, data["images"][1]
    assert suv is not None
    values = unpack(pet["data"]).reshape(data["shape"]) / 255 * (pet["high"] - pet["low"])
    place = [5, 40, 40]
    point = np.array(data["first_mm"]) + np.array(place[::-1]) * data["step_mm"]
    assert values[tuple(place)] == pytest.approx(at(suv, *point), abs=pet["high"] / 255)


def test_the_viewers_regions_have_the_volume_of_the_masks(case: Case, prepared: Scene) -> None:
    data = viewer_data(case, prepared)
    lesions = case.images.lesions
    assert data is not None
    assert lesions is not None
    inside = unpack(data["regions"]["lesion"]) > 127
    drawn_mm3 = float((lesions.array > 0).sum() * lesions.spacing_mm.prod())
    assert inside.sum() * data["step_mm"] ** 3 == pytest.approx(drawn_mm3, rel=0.12)


def test_the_viewers_volumes_stay_small() -> None:
    large = Volume(np.ones((200, 200, 200), np.float32), np.zeros(3), np.full(3, 2.0))
    images = Images(large, None, None, None, None, None, None, None, large, None)
    comparison = {"lesions": [], "liver": {"suv_mean": 5.0}}
    case = Case(Path(), comparison, {}, images)
    data = viewer_data(case, scene(case))
    assert data is not None
    assert np.prod(data["shape"]) <= 920_000
