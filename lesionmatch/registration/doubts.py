"""When a registration is not to be trusted, in sentences."""

import math
from collections.abc import Iterator

from lesionmatch.protocol import RegistrationRules
from lesionmatch.registration.result import Quality


def doubts_of(
    quality: Quality, refused: tuple[str, ...], target: str, rules: RegistrationRules
) -> tuple[str, ...]:
    """What speaks against a registration; nothing when it can be trusted.

    A stage that was refused is a doubt, because the map kept instead is a coarser one.
    """
    return (*refused, *_fit_doubts(quality, rules), *_liver_doubts(quality, target, rules))


def _fit_doubts(quality: Quality, rules: RegistrationRules) -> Iterator[str]:
    ratio, moved = quality.probe_ratio, quality.displacement_p95_mm
    if ratio is not None and ratio < rules.least_probe_ratio:
        yield (
            f"MRI and target agree only {ratio:.2f} times as well as 20 mm off "
            f"(wanted {rules.least_probe_ratio:g}): they may not show the same liver"
        )
    if moved is not None and moved > rules.most_displacement_p95_mm:
        yield (
            f"the deformation moves the liver by up to {moved:.0f} mm "
            f"(wanted at most {rules.most_displacement_p95_mm:g} mm)"
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
