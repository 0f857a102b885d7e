"""When a registration is not to be trusted, in sentences."""

import math
from collections.abc import Iterator

from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.result import Quality


def doubts_of(
    quality: Quality, refused: tuple[str, ...], target: str, rules: RegistrationRules
) -> tuple[str, ...]:
    """What speaks against a registration; nothing when it can be trusted.

    A stage that was refused is a doubt, because the map kept instead is a coarser one. Whether
    the images belong together is told by the liver's own pattern. Only where none is known is it
    asked how well they agree as a whole, what contrast and density there are, and whether the
    deformation brings anything: with a pattern these say nothing more, for an unenhanced CT
    agrees little with any MRI, right or wrong, fat makes a liver as dark as water, and a liver
    that lies as it lay need not bend. Where the pattern agrees in every half of the liver, the
    deformation may also go further, for a liver of another day may lie strongly bent.
    """
    is_sure = is_settled(quality.pattern_half_errors, rules)
    return (
        *_agreement_doubts(quality, target, rules),
        *_shape_doubts(quality, rules, is_sure=is_sure),
        *_liver_doubts(quality, target, rules),
        *_offset_doubts(quality, rules),
        *refused,
    )


def is_settled(half_errors: float | None, rules: RegistrationRules) -> bool:
    """Whether the liver's own pattern alone says that the images belong together and meet."""
    return half_errors is not None and half_errors >= rules.sure_half_errors


def growth_limits(rules: RegistrationRules, *, is_sure: bool) -> tuple[float, float]:
    """To which shares of its volume a trusted map may shrink and stretch the liver."""
    if is_sure:
        return rules.least_sure_jacobian, rules.most_sure_jacobian
    return rules.least_jacobian, rules.most_jacobian


def remarks_of(quality: Quality, target: str, rules: RegistrationRules) -> tuple[str, ...]:
    """What a reader should know of the map and of what both scans show, and is no doubt."""
    said: list[str] = []
    if quality.pattern_errors is not None:
        said.extend(_idle_deformation(quality, rules.stage_gain_errors))
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
            f"MRI and target agree only {ratio:.2f} times as well as {rules.probe_shift_mm:g} mm "
            f"off (wanted {rules.least_probe_ratio:g}): they may not show the same liver"
        )
    if peaks is not None and peaks > rules.most_peak_ratio:
        yield (
            f"another place fits nearly as well ({peaks:.2f} of the best, "
            f"wanted at most {rules.most_peak_ratio:g})"
        )


def _agreement_doubts(quality: Quality, target: str, rules: RegistrationRules) -> Iterator[str]:
    if quality.pattern_errors is None:
        yield from _fit_doubts(quality, rules)
        yield from _contrast_doubts(quality, target, rules)
        yield from _density_doubts(quality, target, rules)
        yield from _idle_deformation(quality, rules.sure_gain_errors)
    else:
        yield from _pattern_doubts(quality.pattern_errors, quality.pattern_half_errors, rules)


def _pattern_doubts(
    errors: float, half_errors: float | None, rules: RegistrationRules
) -> Iterator[str]:
    """One lesion that happens to lie on another's agrees much, but in its own half alone."""
    if errors < rules.least_pattern_errors:
        where, found, wanted = "the liver", errors, rules.least_pattern_errors
    elif half_errors is not None and half_errors < rules.least_half_errors:
        where, found, wanted = "one half of the liver", half_errors, rules.least_half_errors
    else:
        return
    yield (
        f"vessels and lesions within {where} agree better than by chance by only {found:.1f} "
        f"standard deviations (wanted {wanted:g}): it may be another patient's liver, or the "
        "alignment failed"
    )


def _idle_deformation(quality: Quality, least_errors: float) -> Iterator[str]:
    gained = quality.deformable_gain_errors
    if gained is not None and gained < least_errors:
        yield (
            f"the deformation explains unseen voxels better by only {gained:.1f} standard errors "
            f"(wanted {least_errors:g})"
        )


def _contrast_doubts(quality: Quality, target: str, rules: RegistrationRules) -> Iterator[str]:
    shared = quality.mutual_information
    if target == "ct" and shared is not None and shared < rules.least_information_nats:
        yield (
            f"MRI and CT share only {shared:.2f} nats about the liver "
            f"(wanted {rules.least_information_nats:g})"
        )


def _density_doubts(quality: Quality, target: str, rules: RegistrationRules) -> Iterator[str]:
    middle = quality.liver_on_target
    if target != "ct" or middle is None:
        return
    if math.isnan(middle) or not rules.liver_low_hu <= middle <= rules.liver_high_hu:
        yield (
            f"what the liver was placed on has {middle:.0f} HU "
            f"(wanted {rules.liver_low_hu:g} to {rules.liver_high_hu:g} HU)"
        )


def _shape_doubts(quality: Quality, rules: RegistrationRules, *, is_sure: bool) -> Iterator[str]:
    moved = quality.displacement_p95_mm
    furthest = rules.most_sure_displacement_p95_mm if is_sure else rules.most_displacement_p95_mm
    if moved is not None and moved > furthest:
        yield (
            f"the deformation moves the liver by up to {moved:.0f} mm "
            f"(wanted at most {furthest:g} mm)"
        )
    turned = quality.rotation_deg
    if turned is not None and turned > rules.most_rotation_deg:
        yield (
            f"the liver would have to be turned by {turned:.0f} degrees "
            f"(wanted at most {rules.most_rotation_deg:g})"
        )
    yield from _growth_doubts(quality, rules, is_sure=is_sure)


def _growth_doubts(quality: Quality, rules: RegistrationRules, *, is_sure: bool) -> Iterator[str]:
    least, most = quality.jacobian_min, quality.jacobian_max
    volume = quality.volume_ratio
    if least is not None and most is not None and volume is not None:
        low, high = growth_limits(rules, is_sure=is_sure)
        if least < low or most > high:
            yield (
                f"the map shrinks or stretches liver to {least:.2f} or {most:.2f} of its volume "
                f"(wanted {low:g} to {high:g})"
            )
        elif not rules.least_volume_ratio <= volume <= rules.most_volume_ratio:
            yield (
                f"the liver would have to change to {volume:.2f} of its volume "
                f"(wanted {rules.least_volume_ratio:g} to {rules.most_volume_ratio:g})"
            )


def _liver_doubts(quality: Quality, target: str, rules: RegistrationRules) -> Iterator[str]:
    covered = quality.coverage
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
