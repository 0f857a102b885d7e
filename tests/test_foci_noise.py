"""How high a place stands above the noise of its liver, however skewed that is."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from lesionmatch.foci import Field, field, field_of, find_foci
from lesionmatch.foci.filters import robust_skew, sure_skew, unskewed
from tests.foci_livers import COV, LEVEL, PROTOCOL, away_mm, liver_pet


@pytest.fixture(scope="module")
def quiet() -> Field:
    return field_of(*liver_pet())


def test_of_all_scales_the_height_that_is_rarest_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is left out, and what is held against the edge, depends on all scales: without them.
    apart = {"left_out_z": 10.0, "capsule_near_mm": 0.0, "capsule_lift_sd": 0.0}
    rules = replace(PROTOCOL.foci, **apart)
    monkeypatch.setattr(field, "unskewed", lambda z, _: z)
    pet, needed, highest = liver_pet(), [], []
    for scale in field.scales(rules):
        with monkeypatch.context() as alone:
            alone.setattr(field, "scales", lambda _, only=(scale,): only)
            highest.append(field_of(*pet, rules).z)
            alone.setattr(field, "as_rare_by_sd", lambda *_: 0.0)
            needed.append(rules.least_z - float(np.median(highest[-1] - field_of(*pet, rules).z)))
    assert sorted(needed, reverse=True) == needed
    assert needed[0] - needed[-1] > 0.15
    np.testing.assert_array_equal(field_of(*pet, rules).z, np.max(highest, axis=0))


@pytest.mark.parametrize(("seed", "heights"), [(5, [5.3, 5.1]), (7, [5.7])])
def test_grain_that_is_log_normal_makes_no_focus(
    seed: int, heights: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    pet = liver_pet(seed=seed, is_log_normal=True)
    assert find_foci(*pet, PROTOCOL) == ()
    monkeypatch.setattr(field, "unskewed", lambda z, _: z)
    assert [focus.z for focus in find_foci(*pet, PROTOCOL)] == pytest.approx(heights, abs=0.05)


def test_each_scale_is_as_skewed_as_its_own_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def record(z: np.ndarray, skew: float) -> np.ndarray:
        asked.append(skew)
        return z

    monkeypatch.setattr(field, "unskewed", record)
    field_of(*liver_pet(seed=5, is_log_normal=True))
    fine, wide = asked[-2:]
    # Smoothed so that fewer independent grains are in the mean, it is the less skewed.
    assert fine > 0.2
    assert 0.0 < wide < 0.7 * fine


def test_heights_in_log_normal_noise_are_as_rare_as_those_of_normal_noise() -> None:
    normal = np.linspace(-3.0, 6.0, 19, dtype=np.float32)
    spread = 0.15
    np.testing.assert_allclose(
        unskewed(np.expm1(spread * normal) / spread, 3 * spread)[6:], normal[6:], atol=1e-5
    )
    np.testing.assert_array_equal(unskewed(normal, -0.2), normal)
    # Below the median nothing is looked for, and nothing is changed.
    np.testing.assert_array_equal(unskewed(normal, 0.4)[:7], normal[:7])


def test_skewness_is_that_of_the_noise_and_not_of_a_few_lesions_in_it() -> None:
    normal = np.random.default_rng(0).standard_normal(40000)
    skewed = np.expm1(0.15 * normal) / 0.15
    lesions = np.where(np.arange(40000) < 800, 4.0, normal)
    assert robust_skew(normal) == pytest.approx(0.0, abs=0.03)
    assert robust_skew(skewed) == pytest.approx(stats.skew(skewed), abs=0.03)
    assert abs(robust_skew(lesions)) < stats.skew(lesions) / 3.0


@pytest.mark.parametrize(
    ("skew", "left"),
    [(-0.3, 0.0), (0.0, 0.0), (0.07, 0.0), (0.08, 0.0), (0.16, 0.12), (0.8, 0.792)],
)
def test_of_skewness_only_what_chance_does_not_make_counts(skew: float, left: float) -> None:
    # 0.8 over the root of 100 places: 0.08 is what chance makes.
    assert sure_skew(skew, 100.0) == pytest.approx(left, abs=1e-9)


def test_many_faint_lesions_are_not_taken_for_noise() -> None:
    corners = [(x, y, z) for x in (-35, 35) for y in (-35, 35) for z in (-35, 35)]
    pet, at = liver_pet(*((c, 14, 1.4) for c in corners)), away_mm(corners[0]) < 6
    at_first = replace(PROTOCOL.foci, left_out_z=10.0)
    assert float(field_of(*pet, at_first).z[at].max()) < 4.5
    assert float(field_of(*pet).z[at].max()) > 4.75


def test_the_noise_of_the_liver_is_measured(quiet: Field) -> None:
    assert quiet.cov == pytest.approx(0.12, rel=0.1)
    assert quiet.level == pytest.approx(6.0, rel=0.02)


def test_the_noise_is_the_livers_where_it_is_full_of_lesions() -> None:
    many = [((x, y, z), 24, 4.0) for x in (-32, 0, 32) for y in (-32, 0, 32) for z in (-32, 0, 32)]
    field = field_of(*liver_pet(*many))
    assert field.cov == pytest.approx(COV, rel=0.25)
    assert field.level == pytest.approx(LEVEL, rel=0.06)
