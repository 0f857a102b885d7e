"""No reason's evidence speaks against it, over many made studies."""

import re
from collections import Counter

import numpy as np
import pytest
from scipy import ndimage

from lesionmatch.concordance import Concordance, Evidence, LesionFinding, Surroundings, concord
from lesionmatch.detectability import SIGMAS_IN_FWHM, Blur
from lesionmatch.image import Image, Quantity
from lesionmatch.protocol import Protocol, changed
from tests.concordance_scene import PET_GRID, Place, Reference, Spot, ball, carried

LEVEL = 5.0
ERROR_MM = 4.0
STUDIES = 120
INSIDE = (25.0, 75.0)
NUMBER = r"(\d+\.\d+)"
SIZE = rf"{NUMBER} mm, recovery {NUMBER}, would need {NUMBER} x liver; seen {NUMBER} x"


def made(seed: int) -> tuple[Evidence, Concordance]:
    """Lesions of 5.5 to 20 mm beside hotter uptake, drawn and not, at all noise and resolutions."""
    rng = np.random.default_rng([seed, 11])
    fwhm_mm, cov = float(rng.uniform(5.0, 9.0)), float(rng.uniform(0.05, 0.30))
    centre = rng.uniform(*INSIDE, 3)
    way = rng.normal(size=3)
    beside = centre + way / np.linalg.norm(way) * rng.uniform(10.0, 28.0)
    far = rng.uniform(*INSIDE, 3)
    balls = [
        (_place(centre), float(rng.uniform(5.5, 20.0)), float(rng.uniform(0.3, 6.0))),
        (_place(beside), float(rng.uniform(8.0, 20.0)), float(rng.uniform(3.0, 15.0))),
        (_place(far), float(rng.uniform(5.5, 20.0)), float(rng.uniform(0.3, 6.0))),
    ]
    drawn = balls if rng.random() < 0.5 else [balls[0], balls[2]]
    lesions = carried(*[(place, d) for place, d, _ in drawn], error_mm=ERROR_MM)
    foci = _found(balls, rng)
    evidence = Evidence(
        suv=_pet(balls, fwhm_mm, cov, rng),
        background=Reference(LEVEL, LEVEL * cov),
        carried=lesions,
        foci=foci,
        around_lesions=tuple(_around(rng) for _ in lesions),
        around_foci=tuple(_around(rng) for _ in foci),
        focus_error_mm=(ERROR_MM,) * len(foci),
        blur=Blur.breathing(fwhm_mm, float(rng.uniform(0.0, 12.0))),
        registration_passed=bool(rng.random() < 0.9),
        null_p=lambda _: 0.01,
    )
    return evidence, concord(evidence, Protocol())


def _place(at: np.ndarray) -> Place:
    x, y, z = np.clip(at, 12.0, 88.0)
    return float(x), float(y), float(z)


def _around(rng: np.random.Generator) -> Surroundings:
    capsule, vessel = rng.exponential(15.0, 2)
    return Surroundings(float(capsule), float(rng.uniform(5.0, 60.0)), float(vessel))


def _found(balls: list[tuple[Place, float, float]], rng: np.random.Generator) -> tuple[Spot, ...]:
    """The hottest of all is a focus; of the others each with an even chance, whatever it shows."""
    hottest = max(balls, key=lambda one: one[2])
    seen = [one for one in balls if one is hottest or rng.random() < 0.3]
    normal = None if rng.random() < 0.7 else "stomach or bowel"
    return tuple(
        Spot(f"F{n}", np.array(place), ball(place, max(d, 8.0), PET_GRID), normal)
        for n, (place, d, _) in enumerate(seen, 1)
    )


def _pet(
    balls: list[tuple[Place, float, float]], fwhm_mm: float, cov: float, rng: np.random.Generator
) -> Image:
    activity = np.ones(PET_GRID.shape)
    for place, diameter_mm, ratio in balls:
        activity[ball(place, diameter_mm, PET_GRID).on(PET_GRID).array] = ratio
    seen = ndimage.gaussian_filter(activity, fwhm_mm / SIGMAS_IN_FWHM / PET_GRID.spacing_mm)
    seen = LEVEL * np.maximum(0.0, seen + cov * rng.standard_normal(seen.shape))
    return Image(PET_GRID, seen.astype(np.float32), Quantity.SUV_BW)


def against(finding: LesionFinding, evidence: Evidence) -> str:
    """What in the evidence of a reason speaks against it; empty where nothing does."""
    text = finding.evidence.removeprefix("may have had a part: ")
    is_part = text != finding.evidence
    match finding.reason:
        case "small_size":
            long_mm, _, needed, seen = _numbers(SIZE, text)
            return "" if long_mm <= 12.0 and seen <= needed else "seen as much as it needs"
        case "subcapsular" | "near_vessel" if is_part or "which may have" in text:
            return _beside(text, is_part)
        case "subcapsular" | "near_vessel":
            there, deep, _, likely = _numbers(
                rf"need {NUMBER} x liver, {NUMBER} x away from it; seen {NUMBER} x, true ratio "
                rf"likely {NUMBER}",
                text,
            )
            return _beside(text, True) if deep <= likely <= there else "no edge decides it"
        case "low_uptake":
            likely, needed, typical = _numbers(
                rf"likely {NUMBER};.*would need {NUMBER} x, and a metastasis has {NUMBER} x", text
            )
            return "" if likely <= needed <= typical else "its uptake is not too low"
        case "noisy_liver":
            cov, here, quiet, likely = _numbers(
                rf"CoV {NUMBER}: would need {NUMBER} x liver, {NUMBER} x at CoV 0.12; true ratio "
                rf"likely {NUMBER}",
                text,
            )
            return "" if cov >= 0.15 and quiet <= likely <= here else "noise does not decide it"
        case "unexplained" if "no rule fits" not in text:
            return _outshone(text, evidence)
        case "misregistration":
            return "" if "doubtful" in text or "belongs to no lesion" in text else "no doubt"
        case _:
            return ""


def _numbers(pattern: str, text: str) -> list[float]:
    found = re.search(pattern, text)
    assert found, f"{pattern!r} is not in {text!r}"
    return [float(number) for number in found.groups()]


def _beside(text: str, is_part: bool) -> str:
    (apart_mm,) = _numbers(rf"{NUMBER} mm from (?:the capsule|a large vessel)", text)
    if apart_mm > 5.0:
        return "it is not near"
    if is_part:
        return ""
    most, seen = _numbers(rf"up to {NUMBER} x liver; seen {NUMBER} x", text)
    return "" if seen <= most else "no vessel is as hot"


def _outshone(text: str, evidence: Evidence) -> str:
    _, _, _, seen, apart_mm, hotter = _numbers(
        rf"{SIZE}, but .* {NUMBER} mm from it has {NUMBER} x", text
    )
    if hotter < seen or apart_mm > ERROR_MM + evidence.blur.fwhm_mm + PET_GRID.spacing_mm.max():
        return "it is not hotter or not near"
    named = re.search(r"focus (F\d+)", text)
    foci = {focus.focus_id for focus in evidence.foci}
    if named is None and "uptake that is no focus" not in text:
        return "it has no name"
    return "" if named is None or named[1] in foci else "no such focus"


@pytest.fixture(scope="module")
def studies() -> list[tuple[Evidence, Concordance]]:
    return [made(seed) for seed in range(STUDIES)]


def test_no_evidence_speaks_against_its_reason(
    studies: list[tuple[Evidence, Concordance]],
) -> None:
    found = [
        (seed, one.reason, one.evidence, against(one, evidence))
        for seed, (evidence, got) in enumerate(studies)
        for one in got.lesions
    ]
    assert [one for one in found if one[3]] == []


def test_every_reason_of_a_miss_is_among_them(
    studies: list[tuple[Evidence, Concordance]],
) -> None:
    count = Counter(one.reason for _, got in studies for one in got.lesions if one.reason)
    assert set(count) == {
        "small_size",
        "subcapsular",
        "near_vessel",
        "low_uptake",
        "misregistration",
        "noisy_liver",
        "unexplained",
    }
    outshone = [one for _, got in studies for one in got.lesions if ", but focus" in one.evidence]
    assert len(outshone) >= 5


def test_each_reason_stands_under_another_protocol_too(
    studies: list[tuple[Evidence, Concordance]],
) -> None:
    other = changed(Protocol(), {"detectability": {"unprompted_cnr": 3.5, "typical_ratio": 2.5}})
    again = [(evidence, concord(evidence, other)) for evidence, _ in studies[:50]]
    assert [against(f, e) for e, got in again for f in got.lesions if against(f, e)] == []
