"""What a PET of given resolution and noise shows of a lesion: closed forms.

A lesion is a uniform sphere in a uniform liver, the PET blurs it with a Gaussian, and its
noise is that of single voxels of the liver. *Recovery* is the share of the lesion's true
contrast that is left: an apparent ratio to the liver is ``1 + (ratio - 1) recovery``, its
contrast-to-noise ratio ``(ratio - 1) recovery / cov``. The forms follow from integrating
the Gaussian over the ball (Soret et al., J Nucl Med 2007;48:932 on the effect itself).

Lengths are millimetres; uptake is relative to the liver's mean; ``cov`` is the liver's
coefficient of variation.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import dawsn, erf, erfc, ndtr

from lesionmatch.errors import InvalidGeometry
from lesionmatch.protocol import DetectabilityRules

SIGMAS_IN_FWHM = 2.0 * np.sqrt(2.0 * np.log(2.0))
"""Full width at half maximum of a Gaussian, in standard deviations."""

NEARLY_ISOTROPIC = 1e-3
"""Axial and transverse blur that differ by less than this share count as one blur."""

SMOOTHINGS_MM = np.arange(0.0, 30.5, 0.5)
"""Widths (FWHM) among which the best smoothing is looked for: up to that of the largest lesions."""

Visibility = Literal["expected", "retrospective", "not_expected"]


@dataclass(frozen=True, slots=True)
class Blur:
    """How far the PET smears a point, as the full width at half maximum of a Gaussian."""

    fwhm_mm: float
    """Across the body."""
    axial_fwhm_mm: float
    """Along the body, where breathing adds to it; never less than across."""

    def __post_init__(self) -> None:
        if not 0.0 < self.fwhm_mm <= self.axial_fwhm_mm:
            raise InvalidGeometry(
                "blur: wanted 0 < across <= along the body, got "
                f"{self.fwhm_mm} and {self.axial_fwhm_mm} mm"
            )

    @classmethod
    def breathing(cls, fwhm_mm: float, peak_to_peak_mm: float) -> "Blur":
        """The blur of a resolution and of a sinusoidal motion along the body.

        The motion's variance is an eighth of the square of its peak-to-peak amplitude.
        """
        motion_fwhm_mm = SIGMAS_IN_FWHM * peak_to_peak_mm / np.sqrt(8.0)
        return cls(fwhm_mm, float(np.hypot(fwhm_mm, motion_fwhm_mm)))

    def smoothed(self, fwhm_mm: float) -> "Blur":
        """This blur and a further one of the same width in all directions."""
        across, along = np.hypot(self.fwhm_mm, fwhm_mm), np.hypot(self.axial_fwhm_mm, fwhm_mm)
        return Blur(float(across), float(along))

    @property
    def sigma_mm(self) -> float:
        """Standard deviation across the body."""
        return float(self.fwhm_mm / SIGMAS_IN_FWHM)

    @property
    def axial_sigma_mm(self) -> float:
        """Standard deviation along the body."""
        return float(self.axial_fwhm_mm / SIGMAS_IN_FWHM)

    @property
    def volume_fwhm_mm(self) -> float:
        """The isotropic blur that smears over the same volume."""
        return float((self.fwhm_mm**2 * self.axial_fwhm_mm) ** (1.0 / 3.0))


def centre_recovery(diameter_mm: float, blur: Blur) -> float:
    """Recovery at the centre of a sphere, breathing included.

    >>> round(centre_recovery(10.0, Blur(7.0, 7.0)), 3)
    0.581
    """
    if blur.axial_fwhm_mm <= blur.fwhm_mm * (1.0 + NEARLY_ISOTROPIC):
        return _isotropic_centre(diameter_mm, blur.fwhm_mm)
    radius, across, along = diameter_mm / 2.0, blur.sigma_mm, blur.axial_sigma_mm
    k = across**-2 - along**-2
    tail = np.exp(-(radius**2) / (2.0 * along**2)) * dawsn(radius * np.sqrt(k / 2.0))
    near = erf(radius / (np.sqrt(2.0) * along))
    return float(near - 2.0 / np.sqrt(np.pi) * tail / (along * np.sqrt(k)))


def _isotropic_centre(diameter_mm: float, fwhm_mm: float) -> float:
    a = diameter_mm / 2.0 / (fwhm_mm / SIGMAS_IN_FWHM)
    return float(erf(a / np.sqrt(2.0)) - np.sqrt(2.0 / np.pi) * a * np.exp(-(a**2) / 2.0))


def least_visible_ratio(recovery: float, cov: float, cnr: float) -> float:
    """The least true ratio to the liver that reaches a contrast-to-noise ratio of `cnr`."""
    return 1.0 + cnr * cov / recovery


def spill_in(depth_mm: float, fwhm_mm: float) -> float:
    """Share of a flat neighbour's uptake that is seen at a depth inside the liver."""
    return float(0.5 * erfc(depth_mm * SIGMAS_IN_FWHM / (np.sqrt(2.0) * fwhm_mm)))


def edge_deficit(depth_mm: float, neighbour_ratio: float, fwhm_mm: float) -> float:
    """Uptake a flat colder neighbour takes from the liver at a depth, relative to the liver."""
    return (1.0 - neighbour_ratio) * spill_in(depth_mm, fwhm_mm)


def least_visible_ratio_at_edge(
    recovery: float, cov: float, cnr: float, *, deficit: float
) -> float:
    """As `least_visible_ratio`, where the edge takes a `deficit` from the liver about it.

    First order: what the edge cuts off the lesion itself is left out.
    """
    return 1.0 + (cnr * cov + deficit) / recovery


def smoothing_gain(diameter_mm: float, blur: Blur, grain_fwhm_mm: float) -> float:
    """How much more a lesion stands out once the image is smoothed to suit its size; at least 1.

    Smoothing by a Gaussian blurs the lesion further and calms the noise: noise whose grain is
    itself a Gaussian of standard deviation n keeps ``(1 + (m / n)^2)^(-3/4)`` of its own once
    smoothed by one of m. The best of all widths is what a search at several scales finds
    (the matched filter; North, RCA report PTR-6C 1943, Proc IEEE 1963;51:1016).
    """
    own = centre_recovery(diameter_mm, blur)
    gains = [
        centre_recovery(diameter_mm, blur.smoothed(width_mm))
        * (1.0 + (width_mm / grain_fwhm_mm) ** 2) ** 0.75
        / own
        for width_mm in SMOOTHINGS_MM
    ]
    return float(max(gains))


def detection_probability(
    cnr: float, diameter_mm: float, blur: Blur, *, rules: DetectabilityRules
) -> float:
    """Chance that a lesion of this true contrast-to-noise ratio is found unprompted.

    The contrast seen is normal about the true one, after the smoothing that suits its size.
    """
    seen = cnr * smoothing_gain(diameter_mm, blur, rules.grain_fwhm_mm)
    return float(ndtr((seen - rules.unprompted_cnr) / rules.unprompted_cnr_sd))


@dataclass(frozen=True, slots=True)
class Expectation:
    """What this scan would show of a lesion of this size."""

    recovery: float
    """At the lesion's centre."""
    least_visible_ratio: float
    """True ratio to the liver from which it is found unprompted."""
    visibility: Visibility
    """Of a metastasis of typical uptake."""


def expectation(
    diameter_mm: float, blur: Blur, *, cov: float, rules: DetectabilityRules
) -> Expectation:
    """What is expected of a sphere of this diameter away from edges at this noise."""
    recovery = centre_recovery(diameter_mm, blur)
    unprompted = least_visible_ratio(recovery, cov, rules.unprompted_cnr)
    prompted = least_visible_ratio(recovery, cov, rules.prompted_cnr)
    return Expectation(recovery, unprompted, _visibility(unprompted, prompted, rules.typical_ratio))


def _visibility(unprompted: float, prompted: float, typical: float) -> Visibility:
    """Of a lesion of the `typical` ratio, by the least ratios that are found unprompted and once
    the MRI says where to look."""
    if typical >= unprompted:
        return "expected"
    return "retrospective" if typical >= prompted else "not_expected"


def likely_ratio(
    apparent: float, recovery: float, apparent_sd: float, *, rules: DetectabilityRules
) -> float:
    """The true ratio to expect from an apparent one and from the ratios that metastases have.

    The mean of the posterior of a log-normal prior (the published mean and standard
    deviation) and a normal error of the apparent ratio. Where recovery is poor it is the
    prior's; where it is good, what is seen.
    """
    spread = np.log1p((rules.typical_ratio_sd / rules.typical_ratio) ** 2)
    middle = np.log(rules.typical_ratio) - spread / 2.0
    logs = middle + np.sqrt(spread) * np.linspace(-5.0, 5.0, 401)
    ratios = np.exp(logs)
    error = (apparent - 1.0 - (ratios - 1.0) * recovery) / apparent_sd
    density = -((logs - middle) ** 2) / (2.0 * spread) - error**2 / 2.0
    weights = np.exp(density - density.max())
    return float((weights * ratios).sum() / weights.sum())
