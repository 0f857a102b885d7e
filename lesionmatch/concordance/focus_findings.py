"""What the MRI says of each focus of the PET."""

from collections.abc import Sequence
from dataclasses import dataclass

from lesionmatch.concordance.evidence import Evidence
from lesionmatch.concordance.flags import Facts, Flag, Surroundings, flags
from lesionmatch.concordance.pairs import Focus, Relation
from lesionmatch.concordance.reasons import Because, Reason, Shown, why_benign_shown, why_shown
from lesionmatch.concordance.relations import Relations
from lesionmatch.concordance.strays import Strays
from lesionmatch.lesions import Uptake, measure
from lesionmatch.lesions.planar import axes_mm
from lesionmatch.protocol import Protocol as Rules


@dataclass(frozen=True, slots=True, eq=False)
class FocusFinding:
    """What the MRI says of a focus of the PET."""

    focus: Focus
    relation: Relation
    lesion_ids: tuple[str, ...]
    uptake: Uptake
    error_mm: float
    long_axis_mm: float
    """On the PET."""
    short_axis_mm: float
    surroundings: Surroundings
    flags: tuple[Flag, ...]
    reason: Reason | None
    """None where a lesion that counts explains it."""
    evidence: str

    @property
    def counts(self) -> bool:
        """Whether it is a finding: no physiologic uptake explains it."""
        return self.focus.physiologic_neighbour is None

    @property
    def z(self) -> float:
        """Standard deviations above the liver around it."""
        return self.focus.z


def focus_finding(
    n: int, evidence: Evidence, relations: Relations, stray: Strays, rules: Rules
) -> FocusFinding:
    """What was measured of focus `n`, and why the studies disagree on it."""
    focus = evidence.foci[n]
    uptake = measure(evidence.suv, focus.extent, evidence.background, rules=rules.uptake)
    long_mm, short_mm = axes_mm(focus.extent)
    standing = flags(_focus_facts(n, uptake, long_mm, evidence, rules), rules.flags)
    lesion_ids = relations.lesions_of(focus.focus_id)
    shown = _shown(focus, uptake, evidence.around_foci[n], standing, stray)
    because = _focus_reason(shown, lesion_ids, evidence, rules)
    return FocusFinding(
        focus=focus,
        relation=relations.of_focus(focus.focus_id),
        lesion_ids=lesion_ids,
        uptake=uptake,
        error_mm=evidence.focus_error_mm[n],
        long_axis_mm=long_mm,
        short_axis_mm=short_mm,
        surroundings=evidence.around_foci[n],
        flags=standing,
        reason=because.reason if because else None,
        evidence=because.evidence if because else "",
    )


def _shown(
    focus: Focus,
    uptake: Uptake,
    surroundings: Surroundings,
    standing: tuple[Flag, ...],
    stray: Strays,
) -> Shown:
    """What is known of a focus, were there no lesion to explain it."""
    return Shown(
        tumour_to_liver=uptake.tumour_to_liver,
        surroundings=surroundings,
        flags=standing,
        physiologic_neighbour=focus.physiologic_neighbour,
        stray_lesion=next((c.lesion.lesion_id for c, f in stray if f is focus), None),
    )


def _focus_facts(
    n: int, uptake: Uptake, long_axis_mm: float, evidence: Evidence, rules: Rules
) -> Facts:
    return Facts(
        long_axis_mm=long_axis_mm,
        surroundings=evidence.around_foci[n],
        tumour_to_liver=uptake.tumour_to_liver,
        liver_cov=evidence.liver_cov,
        error_mm=evidence.focus_error_mm[n],
        is_near_physiologic=evidence.foci[n].physiologic_neighbour is not None,
        is_at_edge=_is_at_edge(evidence.foci[n], evidence, rules),
    )


def _focus_reason(
    shown: Shown, lesion_ids: Sequence[str], evidence: Evidence, rules: Rules
) -> Because | None:
    """Why the studies disagree on a focus; None where a lesion that counts explains it."""
    kinds = [c.lesion.kind for c in evidence.carried if c.lesion.lesion_id in lesion_ids]
    if any(kind.counts for kind in kinds):
        return None
    if kinds:
        return why_benign_shown(kinds[0], shown.tumour_to_liver)
    return why_shown(shown, rules.reasons)


def _is_at_edge(focus: Focus, evidence: Evidence, rules: Rules) -> bool:
    grid = evidence.suv.grid
    first, last = grid.voxels(focus.extent.grid.corners_mm())[:, 0][[0, -1]]
    inner = min(first + 0.5, grid.shape[0] - 0.5 - last) * grid.spacing_mm[0]
    return bool(inner < rules.calls.edge_of_coverage_mm)
