"""When a registration is not to be trusted, in sentences."""

import math
from collections.abc import Iterator

from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.result import Quality


def doubts_of(
    quality: Quality, refused: tuple[str, ...], target: str, rules: RegistrationRules
) -> tuple[str, ...]:
    """What speaks against a registration; nothing when it can be trusted.

    A stage that was refused is a doubt, because the map kept instead is a coarser one. How
    well the images agree as a whole is asked only where the liver's own pattern does not
    settle it: an unenhanced CT agrees little with any MRI, right or wrong.
    """
    inner = quality.inner_agreement if target == "ct" else None
    is_settled = inner is not None and inner >= rules.sure_inner_agreement
    return (
        *refused,
        *(() if is_settled else _agreement_doubts(quality, target, rules)),
        *_shape_doubts(quality, rules),
        *_liver_doubts(quality, target, rules),
        *_offset_doubts(quality, rules),
    )


def remarks_of(quality: Quality, target: str, rules: RegistrationRules) -> tuple[str, ...]:
    """What of the liver the scans do not show both, where that is no doubt about the map."""
    said = []
    cut, covered = quality.cut_share, quality.coverage
    if (
        cut is not None
        and cut >= rules.least_said_cut_share
        and not _is_cut_through(quality, rules)
    ):
        said.append(
            f"the MRI ends within the liver: about {100 * cut:.0f} % of it lies beyond and "
            "was not compared"
        )
    if covered is not None and rules.least_coverage <= covered < 1.0 - rules.least_said_cut_share:
        said.append(
            f"the {target.upper()} ends within the liver: {100 * (1 - covered):.0f} % of it "
            "was not compared"
        )
    return tuple(said)


def _fit_doubts(quality: Quality, rules: RegistrationRules) -> Iterator[str]:
    ratio, peaks = quality.probe_ratio, quality.peak_ratio
    if ratio is not None and ratio < rules.least_probe_ratio:
        yield (
            f"MRI and target agree only {ratio:.2f} times as well as 20 mm off "
            f"(wanted {rules.least_probe_ratio:g}): they may not show the same liver"
        )
    if peaks is not None and peaks > rules.most_peak_ratio:
        yield (
            f"another place fits nearly as well ({peaks:.2f} of the best, "
            f"wanted at most {rules.most_peak_ratio:g})"
        )


def _agreement_doubts(quality: Quality, target: str, rules: RegistrationRules) -> Iterator[str]:
    yield from _fit_doubts(quality, rules)
    yield from _contrast_doubts(quality, target, rules)


def _contrast_doubts(quality: Quality, target: str, rules: RegistrationRules) -> Iterator[str]:
    shared, inner = quality.mutual_information, quality.inner_agreement
    if target == "ct" and inner is not None and inner < rules.least_inner_agreement:
        yield (
            "vessels and lesions within the liver agree no better than 14 mm off "
            f"({inner:.1f} standard deviations, wanted {rules.least_inner_agreement:g}): "
            "it may be another patient's liver, or the alignment failed"
        )
    if target == "ct" and shared is not None and shared < rules.least_information_nats:
        yield (
            f"MRI and CT share only {shared:.2f} nats about the liver "
            f"(wanted {rules.least_information_nats:g})"
        )


def _shape_doubts(quality: Quality, rules: RegistrationRules) -> Iterator[str]:
    moved, volume = quality.displacement_p95_mm, quality.volume_ratio
    least, most = quality.jacobian_min, quality.jacobian_max
    if moved is not None and moved > rules.most_displacement_p95_mm:
        yield (
            f"the deformation moves the liver by up to {moved:.0f} mm "
            f"(wanted at most {rules.most_displacement_p95_mm:g} mm)"
        )
    if least is not None and most is not None and volume is not None:
        if least < rules.least_jacobian or most > rules.most_jacobian:
            yield (
                f"the map shrinks or stretches liver to {least:.2f} or {most:.2f} of its volume "
                f"(wanted {rules.least_jacobian:g} to {rules.most_jacobian:g})"
            )
        elif not rules.least_volume_ratio <= volume <= rules.most_volume_ratio:
            yield (
                f"the liver would have to change to {volume:.2f} of its volume "
                f"(wanted {rules.least_volume_ratio:g} to {rules.most_volume_ratio:g})"
            )


def _liver_doubts(quality: Quality, target: str, rules: RegistrationRules) -> Iterator[str]:
    middle, covered = quality.liver_on_target, quality.coverage
    if target == "ct" and middle is not None:
        is_liver = rules.liver_low_hu <= middle <= rules.liver_high_hu
        if math.isnan(middle) or not is_liver:
            yield (
                f"what the liver was placed on has {middle:.0f} HU "
                f"(wanted {rules.liver_low_hu:g} to {rules.liver_high_hu:g} HU)"
            )
    if covered is not None and covered < rules.least_coverage:
        yield (
            f"only {100 * covered:.0f} % of the liver lies on the {target.upper()} "
            f"(wanted {100 * rules.least_coverage:.0f} %)"
        )
    if _is_cut_through(quality, rules):
        yield (
            f"the MRI shows only part of the liver: {100 * (quality.cut_length_share or 0):.0f} % "
            f"of its length and {100 * (quality.cut_share or 0):.0f} % of its volume go on beyond "
            f"its end (wanted at most {100 * rules.most_cut_length_share:.0f} % of the length)"
        )


def _is_cut_through(quality: Quality, rules: RegistrationRules) -> bool:
    """Whether so much of the liver is missing from the MRI that it may be another scan."""
    cut, length = quality.cut_share, quality.cut_length_share
    if cut is None or length is None:
        return False
    return cut > rules.least_doubted_cut_share and length > rules.most_cut_length_share


def _offset_doubts(quality: Quality, rules: RegistrationRules) -> Iterator[str]:
    away_mm = math.hypot(*(quality.pet_ct_offset_mm or (0.0,)))
    if away_mm > rules.most_pet_offset_mm:
        yield (
            f"the liver seems to lie {away_mm:.0f} mm off between the PET and its CT "
            f"(wanted at most {rules.most_pet_offset_mm:g} mm), which was not corrected"
        )
