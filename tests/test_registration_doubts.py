"""When a registration is doubted, and what is only said of it."""

from dataclasses import replace

import pytest

from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.doubts import doubts_of, remarks_of
from lesionmatch.registration.result import Quality

GOOD = Quality(
    mutual_information=0.7,
    probe_ratio=5.0,
    pattern_errors=20.0,
    pattern_half_errors=10.0,
    peak_ratio=0.3,
    rotation_deg=8.0,
    volume_ratio=1.0,
    jacobian_min=0.8,
    jacobian_max=1.2,
    displacement_p95_mm=4.0,
    liver_on_target=105.0,
    coverage=1.0,
    cut_share=0.0,
)


def doubts(**changes: float) -> tuple[str, ...]:
    """Of a pair whose inner pattern settles nothing, but for the changes."""
    undecided = {**GOOD.as_dict(), "pattern_half_errors": 2.5, **changes}
    quality = Quality(**undecided)  # type: ignore[arg-type]
    return doubts_of(quality, (), "ct", RegistrationRules())


def test_good_numbers_raise_no_doubt() -> None:
    assert doubts() == ()


def test_little_agreement_is_no_doubt_where_the_vessels_agree() -> None:
    weak = replace(GOOD, probe_ratio=1.5, peak_ratio=0.95, deformable_gain_errors=5.0)
    assert doubts_of(weak, (), "ct", RegistrationRules()) == ()
    unknown = replace(weak, pattern_errors=None, pattern_half_errors=None)
    probe, peak = doubts_of(unknown, (), "ct", RegistrationRules())
    assert "agree only 1.50 times as well as 20 mm off" in probe
    assert "another place fits nearly as well" in peak


def test_a_pattern_that_agrees_in_one_half_only_is_a_doubt() -> None:
    """One lesion of another patient's that lies on one of this one's is no liver."""
    assert doubts(pattern_errors=7.3, pattern_half_errors=1.0) == ()
    (doubt,) = doubts(pattern_errors=7.3, pattern_half_errors=-0.4)
    assert "within one half of the liver agree better than by chance by only -0.4" in doubt
    (doubt,) = doubts(pattern_errors=6.4, pattern_half_errors=-0.4)
    assert "within the liver agree better than by chance by only 6.4" in doubt


def test_a_strong_bend_is_no_doubt_where_the_vessels_agree() -> None:
    (doubt,) = doubts(displacement_p95_mm=10.0)
    assert "moves the liver by up to 10 mm" in doubt
    assert doubts(displacement_p95_mm=10.0, pattern_half_errors=10.0) == ()
    (doubt,) = doubts(displacement_p95_mm=13.0, pattern_half_errors=10.0)
    assert "(wanted at most 12 mm)" in doubt


def test_more_growth_is_allowed_where_the_vessels_agree_but_no_halving() -> None:
    (doubt,) = doubts(jacobian_min=0.6)
    assert "to 0.60 or" in doubt
    assert "(wanted 0.65 to 1.35)" in doubt
    assert doubts(jacobian_min=0.6, pattern_half_errors=10.0) == ()
    assert "(wanted 0.5 to 2)" in doubts(jacobian_min=0.45, pattern_half_errors=10.0)[0]
    assert doubts(jacobian_max=1.7, pattern_half_errors=10.0) == ()
    assert doubts(jacobian_max=1.7, pattern_half_errors=4.0)


def test_a_liver_turned_too_far_is_doubted_however_well_the_vessels_agree() -> None:
    (doubt,) = doubts(rotation_deg=18.0, pattern_half_errors=10.0)
    assert "turned by 18 degrees" in doubt


def test_a_deformation_that_brings_nothing_is_doubted_only_where_no_vessels_are_known() -> None:
    assert doubts(deformable_gain_errors=0.4) == ()
    idle = replace(GOOD, pattern_errors=None, pattern_half_errors=None, deformable_gain_errors=0.4)
    (doubt,) = doubts_of(idle, (), "pet", RegistrationRules())
    assert "by only 0.4 standard errors (wanted 2)" in doubt


def test_little_contrast_is_doubted_only_where_no_vessels_are_known() -> None:
    assert doubts(mutual_information=0.1) == ()
    weak = replace(GOOD, pattern_errors=None, pattern_half_errors=None, mutual_information=0.1)
    (doubt,) = doubts_of(weak, (), "ct", RegistrationRules())
    assert "share only 0.10 nats" in doubt


def test_that_the_deformation_brought_nothing_is_said() -> None:
    idle = replace(GOOD, deformable_gain_errors=-2.2)
    (remark,) = remarks_of(idle, "ct", RegistrationRules())
    assert "by only -2.2 standard errors" in remark


def test_without_a_ct_no_pattern_is_asked_for() -> None:
    quality = replace(
        GOOD, pattern_errors=None, pattern_half_errors=None, deformable_gain_errors=5.0
    )
    assert doubts_of(quality, (), "pet", RegistrationRules()) == ()


def test_vessels_do_not_settle_what_a_pet_cannot_show() -> None:
    quality = replace(GOOD, pattern_errors=None, pattern_half_errors=None, probe_ratio=1.5)
    assert len(doubts_of(quality, (), "pet", RegistrationRules())) == 1


@pytest.mark.parametrize("hu", [-40.0, 250.0, float("nan")])
def test_an_odd_density_is_a_doubt_where_no_pattern_is_known(hu: float) -> None:
    unknown = replace(GOOD, pattern_errors=None, pattern_half_errors=None)
    odd = replace(unknown, liver_on_target=hu, deformable_gain_errors=5.0)
    (doubt,) = doubts_of(odd, (), "ct", RegistrationRules())
    assert f"has {hu:.0f} HU" in doubt


def test_a_liver_as_dark_as_water_whose_vessels_agree_is_fatty() -> None:
    assert doubts(liver_on_target=3.0) == ()
    assert doubts(liver_on_target=3.0, pattern_half_errors=10.0) == ()


def test_a_refused_stage_is_a_doubt() -> None:
    assert doubts_of(GOOD, ("it folds",), "ct", RegistrationRules()) == ("it folds",)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("displacement_p95_mm", 31.0, "moves the liver by up to 31 mm"),
        ("coverage", 0.5, "only 50 % of the liver lies on the CT"),
        (
            "pattern_errors",
            1.2,
            "better than by chance by only 1.2 standard deviations (wanted 6.5)",
        ),
        ("jacobian_max", 2.5, "stretches"),
        ("volume_ratio", 0.5, "the liver would have to change"),
        ("rotation_deg", 18.0, "turned by 18 degrees (wanted at most 15)"),
    ],
)
def test_each_bad_number_raises_its_doubt(name: str, value: float, sentence: str) -> None:
    found = doubts(**{name: value})
    assert len(found) == 1
    assert sentence in found[0]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("cut_share", 0.25, "the MRI ends within the liver: about 25 % of it lies beyond"),
        ("coverage", 0.90, "the CT ends within the liver: 10 % of it was not compared"),
    ],
)
def test_a_scan_that_misses_some_liver_is_said_and_not_doubted(
    name: str, value: float, sentence: str
) -> None:
    quality = replace(GOOD, **{name: value})  # type: ignore[arg-type]
    assert doubts_of(quality, (), "ct", RegistrationRules()) == ()
    (remark,) = remarks_of(quality, "ct", RegistrationRules())
    assert sentence in remark


def test_scans_of_the_whole_liver_have_no_remark() -> None:
    assert remarks_of(GOOD, "ct", RegistrationRules()) == ()


def test_what_is_doubted_is_not_remarked_as_well() -> None:
    quality = replace(GOOD, cut_share=0.35, cut_length_share=0.5, coverage=0.5)
    assert remarks_of(quality, "ct", RegistrationRules()) == ()


def test_half_a_liver_is_doubted_and_a_long_thin_tip_is_not() -> None:
    half = replace(GOOD, cut_share=0.35, cut_length_share=0.5)
    (doubt,) = doubts_of(half, (), "ct", RegistrationRules())
    assert "50 % of its length and 35 % of its volume go on beyond" in doubt
    assert doubts_of(replace(half, cut_share=0.05), (), "ct", RegistrationRules()) == ()


def test_a_liver_far_off_on_the_pet_is_doubted() -> None:
    quality = Quality(**{**GOOD.as_dict(), "pet_ct_offset_mm": (0.0, 12.0, 16.0)})  # type: ignore[arg-type]
    (doubt,) = doubts_of(quality, (), "ct", RegistrationRules())
    assert "lie 20 mm off between the PET and its CT" in doubt
