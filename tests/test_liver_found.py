"""A liver found among neighbours whose shapes are known."""

from dataclasses import replace

import numpy as np
import pytest

from lesionmatch.errors import InvalidInput
from lesionmatch.image import Image, Mask, Quantity
from lesionmatch.liver import find_liver
from lesionmatch.liver.ducts import find_ducts
from lesionmatch.liver.hollows import with_hollows
from lesionmatch.protocol import Protocol
from tests.liver_scene import GRID, RIGHT, RULES, TUBES, X, Y, Z, ball, picture


def test_a_brighter_organ_on_the_left_is_not_taken_for_the_liver() -> None:
    heart = ball(34.0, (64.0, 0.0, 30.0))
    values = picture(RIGHT & ~heart).array + np.where(heart, 60.0, 0.0).astype(np.float32)
    found = find_liver(Image(GRID, values, Quantity.ARBITRARY), Protocol()).array
    assert not (found & heart & ~RIGHT).any()
    assert (found & RIGHT).sum() / RIGHT.sum() > 0.9


def test_a_kidney_that_touches_the_liver_and_is_a_sixth_darker_is_left_out() -> None:
    kidney = ball(26.0, (-35.0, 30.0, -62.0)) & ~RIGHT
    values = picture(RIGHT).array + np.where(kidney, 53.0, 0.0).astype(np.float32)
    found = find_liver(Image(GRID, values, Quantity.ARBITRARY), Protocol()).array
    assert (found & kidney).sum() / kidney.sum() < 0.1
    assert (found & RIGHT).sum() / RIGHT.sum() > 0.97


def test_an_organ_that_a_vein_as_bright_as_the_liver_leads_to_is_left_out() -> None:
    heart = ball(30.0, (62.0, -10.0, 20.0))
    vein = (np.hypot(Y + 5.0, Z - 15.0) < 9.0) & (X > 10.0) & (X < 62.0)
    values = picture(RIGHT).array + np.where((heart | vein) & ~RIGHT, 65.5, 0.0).astype(np.float32)
    found = find_liver(Image(GRID, values, Quantity.ARBITRARY), Protocol()).array
    assert (found & heart).sum() / heart.sum() < 0.1
    assert (found & RIGHT).sum() / RIGHT.sum() > 0.97


def test_a_dark_lesion_open_to_the_surface_belongs_to_the_liver_and_a_trough_does_not() -> None:
    lesion = ball(18.0, (-72.0, -22.0, 12.0)) & RIGHT
    trough = np.hypot(X + 10.0, Y - 50.0) < 9.0
    values = picture(RIGHT & ~lesion & ~trough).array + np.where(lesion, 22.0, 0.0)
    found = find_liver(Image(GRID, values, Quantity.ARBITRARY), Protocol()).array
    assert (found & lesion).sum() / lesion.sum() > 0.8
    assert (found & trough & RIGHT).sum() / (trough & RIGHT).sum() < 0.3


def test_a_hollow_as_dark_as_the_wall_beside_it_is_a_lesion_and_gas_is_none() -> None:
    hollow = ball(18.0, (-78.0, -22.0, 12.0)) & RIGHT
    shares = []
    for brightness in (30.0, 2.0):
        values = picture(RIGHT & ~hollow).array + np.where(hollow, brightness - 30.0, 0.0)
        image = Image(GRID, np.abs(values).astype(np.float32), Quantity.ARBITRARY)
        found = find_liver(image, Protocol()).array
        shares.append((found & hollow).sum() / hollow.sum())
    assert shares[0] > 0.6
    assert shares[1] < 0.45


def test_what_ends_with_the_image_is_not_enclosed_there_and_half_a_lesion_is() -> None:
    """A pocket, as of the hilum, and a lesion that the lowest slice cuts through its middle."""
    lowest = int(np.searchsorted(Z[:, 0, 0], -30.0))
    grid = GRID.crop((slice(lowest, 60), slice(0, 100), slice(0, 100)))
    x, y, z, right = X[lowest:], Y[lowest:], Z[lowest:], RIGHT[lowest:]
    pocket = (x > -30.0) & (y > -10.0) & (z < -14.0) & right
    lesion = ball(18.0, (-55.0, -25.0, -30.0))[lowest:] & right
    for dark, least, most in ((pocket, 0.0, 0.2), (lesion, 0.8, 1.0)):
        ratio = np.where(right & ~dark, 1.0, np.where(dark, 0.5, 0.3)).astype(np.float32)
        whole = with_hollows(right & ~dark, ratio, grid, RULES)
        share = (whole & dark).sum() / dark.sum()
        assert least <= share <= most


def test_the_liver_is_found_at_any_scale_of_brightness() -> None:
    for scale in (0.001, 500.0):
        hbp = picture(RIGHT, TUBES)
        scaled = Image(GRID, hbp.array * np.float32(scale), Quantity.ARBITRARY)
        found = find_liver(scaled, Protocol()).array
        assert 2.0 * (found & RIGHT).sum() / (found.sum() + RIGHT.sum()) > 0.97


def test_ducts_are_thin_and_bright_and_a_gallbladder_is_none() -> None:
    duct = (np.hypot(X + 30.0, Y) < 2.5) & (np.abs(Z) < 40.0)
    bladder = ball(12.0, (-5.0, -20.0, -30.0))
    values = picture(RIGHT).array + np.where(duct | bladder, 60.0, 0.0).astype(np.float32)
    points = find_ducts(Image(GRID, values, Quantity.ARBITRARY), Mask(GRID, RIGHT), RULES)
    assert np.hypot(points[:, 0] + 30.0, points[:, 1]).max() < 5.0
    assert points[:, 2].min() < -35.0
    assert points[:, 2].max() > 35.0


def test_a_bright_patch_of_a_coarse_liver_is_no_duct() -> None:
    duct = (np.hypot(X + 30.0, Y) < 2.5) & (np.abs(Z) < 40.0)
    patch = np.exp(-((X + 70.0) ** 2 + Y**2 + Z**2) / (2 * 8.0**2))
    values = picture(RIGHT, noise=0.0).array * (1.0 + 0.3 * patch).astype(np.float32)
    values[duct] = 160.0
    points = find_ducts(Image(GRID, values, Quantity.ARBITRARY), Mask(GRID, RIGHT), RULES)
    assert np.hypot(points[:, 0] + 30.0, points[:, 1]).max() < 5.0


def test_a_kidney_as_bright_as_the_liver_is_known_by_its_twin() -> None:
    kidney, twin = (ball(24.0, (x, 34.0, -58.0)) & ~RIGHT for x in (-40.0, 40.0))
    cleft = np.abs(np.hypot(np.hypot(X + 35.0, Y), Z) - 58.0) < 1.6
    bright = picture(RIGHT | kidney & ~cleft | twin)
    body = np.where((np.abs(X) < 97.0) & (bright.array < 50.0), 30.0, bright.array)
    found = find_liver(Image(GRID, body.astype(np.float32), Quantity.ARBITRARY), Protocol()).array
    assert (found & kidney).sum() / kidney.sum() < 0.2
    assert (found & RIGHT).sum() / RIGHT.sum() > 0.97


def coarse(hbp: Image) -> Image:
    """The liver of a picture with slow waves of a sixth of its brightness."""
    wave = np.sin(X / 9.0 + 1.0) + np.sin(Y / 8.0 + Z / 20.0) + np.sin(Z / 10.0 - X / 25.0)
    uneven = hbp.array * (1.0 + 0.16 * wave)
    return Image(GRID, np.where(RIGHT, uneven, hbp.array).astype(np.float32), Quantity.ARBITRARY)


def test_dark_patches_of_a_coarse_liver_are_liver_by_its_own_spread() -> None:
    by_spread, without = (
        replace(RULES, bright_spreads=spreads) for spreads in (RULES.bright_spreads, 0.0)
    )
    lost = [
        float((RIGHT & ~find_liver(coarse(picture(RIGHT)), Protocol(liver=rules)).array).sum())
        for rules in (by_spread, without)
    ]
    assert lost[0] < 0.75 * lost[1]


def test_a_vein_as_dark_as_patches_of_a_coarse_liver_is_not_followed() -> None:
    vein = (np.hypot(X + 20.0, Y - 52.0) < 9.0) & ~RIGHT
    values = coarse(picture(RIGHT)).array + np.where(vein, 40.0, 0.0).astype(np.float32)
    found = find_liver(Image(GRID, values, Quantity.ARBITRARY), Protocol()).array
    away = vein & (np.abs(Z) > 45.0)
    assert (found & away).sum() / away.sum() < 0.1


def test_a_spleen_as_dark_as_patches_of_a_coarse_liver_that_it_touches_is_left_out() -> None:
    spleen = ball(34.0, (55.0, 20.0, 0.0)) & ~RIGHT
    values = coarse(picture(RIGHT)).array + np.where(spleen, 38.0, 0.0).astype(np.float32)
    found = find_liver(Image(GRID, values, Quantity.ARBITRARY), Protocol()).array
    assert (found & spleen).sum() / spleen.sum() < 0.1


def test_an_image_without_a_large_bright_region_is_refused() -> None:
    speck = Image(GRID, np.where(ball(14.0), 100.0, 0.0).astype(np.float32), Quantity.ARBITRARY)
    with pytest.raises(InvalidInput, match="got none; give a mask with --liver"):
        find_liver(speck, Protocol())


def test_a_region_far_too_small_for_a_liver_is_refused() -> None:
    rules = Protocol(liver=replace(RULES, volume_least_ml=2000.0))
    with pytest.raises(InvalidInput, match=r"got one of 3.. ml"):
        find_liver(picture(ball(42.0)), rules)
