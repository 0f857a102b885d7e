"""Closed forms of what a PET shows, against printed tables and against numerical blurring."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, gaussian_filter1d

from lesionmatch.detectability import (
    Blur,
    centre_recovery,
    detection_probability,
    edge_deficit,
    expectation,
    least_visible_ratio,
    least_visible_ratio_at_edge,
    likely_ratio,
    smoothing_gain,
    spill_in,
)
from lesionmatch.errors import InvalidGeometry
from lesionmatch.protocol import DetectabilityRules

FWHM_MM = (5.0, 6.0, 7.0, 8.0, 9.0, 10.0)

CENTRE = {
    4: (0.171, 0.107, 0.071, 0.049, 0.035, 0.026),
    5: (0.291, 0.190, 0.129, 0.090, 0.066, 0.049),
    6: (0.427, 0.291, 0.203, 0.146, 0.107, 0.081),
    7: (0.563, 0.404, 0.291, 0.214, 0.160, 0.122),
    8: (0.686, 0.518, 0.387, 0.291, 0.222, 0.171),
    10: (0.864, 0.722, 0.581, 0.461, 0.366, 0.291),
    12: (0.954, 0.864, 0.746, 0.626, 0.518, 0.427),
    15: (0.994, 0.966, 0.905, 0.819, 0.722, 0.626),
    20: (1.000, 0.998, 0.990, 0.966, 0.923, 0.864),
}
BREATHING = {
    6: (0.291, 0.250, 0.186, 0.141, 0.111),
    10: (0.722, 0.658, 0.529, 0.417, 0.337),
    20: (0.998, 0.995, 0.963, 0.882, 0.781),
}
LEAST_VISIBLE = {
    5: (2.72, 3.64, 4.89, 6.54, 8.63),
    6: (2.17, 2.72, 3.46, 4.43, 5.66),
    8: (1.73, 1.96, 2.29, 2.72, 3.25),
    12: (1.52, 1.58, 1.67, 1.80, 1.96),
}


def isotropic(fwhm_mm: float) -> Blur:
    return Blur(fwhm_mm, fwhm_mm)


@pytest.mark.parametrize("diameter_mm", CENTRE)
def test_recovery_at_the_centre_is_the_printed_one(diameter_mm: int) -> None:
    got = [centre_recovery(diameter_mm, isotropic(fwhm)) for fwhm in FWHM_MM]
    assert got == pytest.approx(CENTRE[diameter_mm], abs=0.0006)


@pytest.mark.parametrize("diameter_mm", BREATHING)
def test_recovery_under_breathing_is_the_printed_one(diameter_mm: int) -> None:
    got = [
        centre_recovery(diameter_mm, Blur.breathing(6.0, amplitude))
        for amplitude in (0.0, 5.0, 10.0, 15.0, 20.0)
    ]
    assert got == pytest.approx(BREATHING[diameter_mm], abs=0.0006)


@pytest.mark.parametrize("diameter_mm", LEAST_VISIBLE)
def test_the_least_visible_ratio_is_the_printed_one(diameter_mm: int) -> None:
    got = [
        least_visible_ratio(centre_recovery(diameter_mm, isotropic(fwhm)), cov=0.1, cnr=5.0)
        for fwhm in FWHM_MM[:5]
    ]
    assert got == pytest.approx(LEAST_VISIBLE[diameter_mm], abs=0.006)


@pytest.mark.parametrize(
    ("depth_mm", "share"), [(2, 0.2505), (3, 0.1564), (5, 0.0463), (7, 0.0093), (10, 0.0004)]
)
def test_spill_in_is_the_printed_one(depth_mm: float, share: float) -> None:
    assert spill_in(depth_mm, 7.0) == pytest.approx(share, abs=0.0001)


@pytest.mark.parametrize(("diameter_mm", "ratio"), [(6.0, 4.15), (8.0, 2.65)])
def test_the_edge_raises_the_least_visible_ratio_as_printed(
    diameter_mm: float, ratio: float
) -> None:
    recovery = centre_recovery(diameter_mm, isotropic(7.0))
    deficit = edge_deficit(3.0, neighbour_ratio=0.1, fwhm_mm=7.0)
    got = least_visible_ratio_at_edge(recovery, cov=0.1, cnr=5.0, deficit=deficit)
    assert got == pytest.approx(ratio, abs=0.006)


STEP_MM = 0.5


def test_the_isotropic_blur_of_the_same_volume_is_the_geometric_mean() -> None:
    assert Blur(4.0, 32.0).volume_fwhm_mm == pytest.approx(8.0)


def blurred_ball(diameter_mm: float, blur: Blur) -> NDArray[np.float64]:
    """A ball of partial voxels, blurred numerically; the centre is the middle voxel."""
    half = int(np.ceil((diameter_mm / 2.0 + 3.5 * blur.axial_sigma_mm) / STEP_MM))
    fine = (np.arange((2 * half + 1) * 3) - (3 * half + 1)) * STEP_MM / 3.0
    z, y, x = np.meshgrid(fine, fine, fine, indexing="ij", sparse=True)
    inside = (x**2 + y**2 + z**2 <= (diameter_mm / 2.0) ** 2).astype(np.float32)
    n = 2 * half + 1
    ball = inside.reshape(n, 3, n, 3, n, 3).mean(axis=(1, 3, 5), dtype=np.float64)
    for axis, sigma in ((0, blur.axial_sigma_mm), (1, blur.sigma_mm), (2, blur.sigma_mm)):
        ball = gaussian_filter1d(ball, sigma / STEP_MM, axis=axis, truncate=6.0)
    return np.asarray(ball)


@pytest.mark.parametrize(
    ("diameter_mm", "blur"),
    [
        (6.0, Blur(5.0, 5.0)),
        (10.0, Blur(7.0, 7.0)),
        (15.0, Blur(9.0, 9.0)),
        (8.0, Blur.breathing(6.0, 10.0)),
        (14.0, Blur.breathing(5.0, 15.0)),
    ],
)
def test_numerical_blurring_gives_the_centre_within_a_hundredth(
    diameter_mm: float, blur: Blur
) -> None:
    ball = blurred_ball(diameter_mm, blur)
    assert centre_recovery(diameter_mm, blur) == pytest.approx(ball.max(), rel=0.01)


@given(st.floats(1.0, 60.0), st.floats(3.0, 12.0), st.floats(0.0, 30.0))
def test_recovery_is_a_share_and_breathing_takes_from_it(
    diameter_mm: float, fwhm_mm: float, breathing_mm: float
) -> None:
    still = centre_recovery(diameter_mm, isotropic(fwhm_mm))
    moving = centre_recovery(diameter_mm, Blur.breathing(fwhm_mm, breathing_mm))
    assert 0.0 < moving <= still + 1e-9 <= 1.0 + 2e-9


@given(st.floats(1.0, 60.0), st.floats(3.0, 12.0))
def test_the_anisotropic_form_meets_the_isotropic_one(diameter_mm: float, fwhm_mm: float) -> None:
    nearly = Blur(fwhm_mm, fwhm_mm * 1.0011)
    assert centre_recovery(diameter_mm, nearly) == pytest.approx(
        centre_recovery(diameter_mm, isotropic(fwhm_mm)), rel=2e-3
    )


@pytest.mark.parametrize(("across", "along"), [(0.0, 5.0), (7.0, 6.0), (float("nan"), 6.0)])
def test_a_blur_that_cannot_be_is_refused(across: float, along: float) -> None:
    with pytest.raises(InvalidGeometry, match="wanted 0 < across <= along"):
        Blur(across, along)


@pytest.mark.parametrize(
    ("diameter_mm", "visibility"),
    [(5.0, "not_expected"), (6.0, "retrospective"), (12.0, "expected")],
)
def test_visibility_is_that_of_a_typical_metastasis(diameter_mm: float, visibility: str) -> None:
    # At CoV 0.1 and 7 mm: 5 mm needs 4.9 (3.3 prompted), 6 mm 3.5 (2.5), 12 mm 1.7.
    rules = DetectabilityRules(typical_ratio=3.3)
    got = expectation(diameter_mm, isotropic(7.0), cov=0.1, rules=rules)
    assert got.visibility == visibility


def test_the_likely_ratio_is_the_seen_one_where_recovery_is_good() -> None:
    got = likely_ratio(3.0, 1.0, 0.05, rules=DetectabilityRules())
    assert got == pytest.approx(3.0, abs=0.02)


def test_the_likely_ratio_is_that_of_metastases_where_nothing_can_be_seen() -> None:
    got = likely_ratio(1.0, 1e-6, 0.1, rules=DetectabilityRules())
    assert got == pytest.approx(3.4, rel=0.01)


def test_half_of_the_lesions_at_the_threshold_are_found() -> None:
    # A point under 7 mm is not made clearer by smoothing a grain of 5 mm.
    rules = DetectabilityRules(unprompted_cnr=5.0, unprompted_cnr_sd=1.0, grain_fwhm_mm=5.0)
    got = [
        detection_probability(cnr, 1.0, isotropic(7.0), rules=rules)
        for cnr in (3.0, 4.0, 5.0, 6.0, 7.0)
    ]
    assert got == pytest.approx([0.0228, 0.1587, 0.5, 0.8413, 0.9772], abs=1e-3)


def test_a_point_gains_by_what_smoothing_calms_less_what_it_blurs() -> None:
    # The best width m has 8^2 + m^2 = 2 (2^2 + m^2), so m^2 = 56: noise falls by
    # (60 / 4)^(3/4), the point by (120 / 64)^(3/2).
    gain = smoothing_gain(0.05, isotropic(8.0), 2.0)
    assert gain == pytest.approx(15.0**0.75 / 1.875**1.5, rel=0.01)


def test_the_gain_of_a_large_lesion_is_that_of_numerical_smoothing() -> None:
    grid = np.indices((61, 61, 61)) - 30.0
    ball = (np.sqrt((grid**2).sum(0)) <= 7.5).astype(float)
    grain = np.zeros_like(ball)
    grain[30, 30, 30] = 1.0
    sd = np.array([6.0, 5.0, 0.0]) / 2.3548
    seen = gaussian_filter(ball, sd[0])
    noise = gaussian_filter(grain, sd[1])
    best = max(
        gaussian_filter(seen, m)[30, 30, 30]
        / seen[30, 30, 30]
        * np.linalg.norm(noise)
        / np.linalg.norm(gaussian_filter(noise, m))
        for m in np.arange(0.5, 5.0, 0.5)
    )
    assert smoothing_gain(15.0, isotropic(6.0), 5.0) == pytest.approx(best, rel=0.01)


def test_the_larger_of_two_lesions_of_the_same_contrast_is_found_more_often() -> None:
    rules = DetectabilityRules()
    small, large = (detection_probability(3.5, d, isotropic(7.0), rules=rules) for d in (8.0, 20.0))
    assert small < 0.25 < 0.95 < large
