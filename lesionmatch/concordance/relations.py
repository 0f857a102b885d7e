"""Which focus of the PET is which lesion of the MRI.

A lesion and a focus may be one thing where they lie within a tolerance that the
registration error and the resolution set. The best assignment of one to one comes first;
what is left over may then join it: a focus that a large lesion holds as well (*split*), a
lesion that lies under the same focus (*merged*). Overlap ratios such as the Dice
coefficient decide nothing, because a small lesion's focus is as wide as the blur and
as far off as the registration error.

The same is done for draws of the registration error, all lesions off the same way. A
relation that another takes the place of in too many of them is ambiguous, and so is one
beside which another partner costs hardly more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from lesionmatch.concordance.pairs import Focus, Pair, Relation, considered
from lesionmatch.lesions import Carried
from lesionmatch.protocol import RelationRules

WORST_COST = 2.0
"""Cost of a pair at both of its limits; a pair is worth what it costs less than this."""


@dataclass(frozen=True, slots=True)
class Relations:
    """How lesions and foci belong together."""

    pairs: tuple[Pair, ...]
    """Every pair considered, by lesion and then by cost."""

    def foci_of(self, lesion_id: str) -> tuple[str, ...]:
        """Foci related to a lesion, the best first."""
        return tuple(p.focus_id for p in self.pairs if p.relation and p.lesion_id == lesion_id)

    def lesions_of(self, focus_id: str) -> tuple[str, ...]:
        """Lesions related to a focus."""
        return tuple(p.lesion_id for p in self.pairs if p.relation and p.focus_id == focus_id)

    def of_lesion(self, lesion_id: str) -> Relation:
        """The class of a lesion: split before merged before matched."""
        return _class([p for p in self.pairs if p.lesion_id == lesion_id], "mri_only")

    def of_focus(self, focus_id: str) -> Relation:
        """The class of a focus: split before merged before matched."""
        return _class([p for p in self.pairs if p.focus_id == focus_id], "pet_only")


def _class(pairs: Sequence[Pair], alone: Relation) -> Relation:
    found = {p.relation for p in pairs}
    for relation in ("split", "merged", "matched"):
        if relation in found:
            return relation
    return alone


def relate(
    carried: Sequence[Carried], foci: Sequence[Focus], *, fwhm_mm: float, rules: RelationRules
) -> Relations:
    """The relations of lesions on the PET and foci, and every pair considered for them.

    A focus that normal uptake explains is listed but never related, nor is a lesion that
    the PET does not cover.
    """
    found = considered(carried, foci, fwhm_mm, rules)
    if not found:
        return Relations(())
    long_mm = {c.lesion.lesion_id: c.lesion.long_axis_mm for c in carried}
    place = {f.focus_id: f.centroid_mm for f in foci}
    here, *drawn = zip(*found, strict=True)
    related = _related(here, long_mm, place, fwhm_mm)
    others = [_related(pairs, long_mm, place, fwhm_mm) for pairs in drawn]
    labelled = [replace(p, relation=related.get(_key(p))) for p in here]
    return Relations(tuple(_with_ambiguity(p, labelled, others, rules) for p in labelled))


Key = tuple[str, str]
"""(lesion_id, focus_id)"""


def _key(pair: Pair) -> Key:
    return pair.lesion_id, pair.focus_id


def _related(
    pairs: Sequence[Pair],
    long_mm: dict[str, float],
    place: dict[str, NDArray[np.float64]],
    fwhm_mm: float,
) -> dict[Key, Relation]:
    """Which of `pairs` are one thing, and in which class."""
    assigned = _best_assignment([p for p in pairs if p.is_candidate])
    joined = _merged(pairs, assigned) | _split(pairs, assigned, long_mm, place, fwhm_mm)
    return _classes(assigned, joined)


def _best_assignment(candidates: Sequence[Pair]) -> dict[Key, Pair]:
    """One to one, so that what the pairs save together is most.

    The gain of a pair is what it costs less than `WORST_COST`, so a good pair is not given
    up to turn it into two poor ones.
    """
    lesions = sorted({p.lesion_id for p in candidates})
    foci = sorted({p.focus_id for p in candidates})
    gain = np.zeros((len(lesions), len(foci)))
    by_key = {(p.lesion_id, p.focus_id): p for p in candidates}
    for (lesion_id, focus_id), pair in by_key.items():
        place = lesions.index(lesion_id), foci.index(focus_id)
        gain[place] = max(0.0, WORST_COST - pair.cost)
    rows, columns = linear_sum_assignment(gain, maximize=True)
    chosen = [(r, c) for r, c in zip(rows, columns, strict=True) if gain[r, c] > 0.0]
    keys = [(lesions[r], foci[c]) for r, c in chosen]
    return {key: by_key[key] for key in keys}


def _merged(pairs: Sequence[Pair], assigned: dict[Key, Pair]) -> dict[Key, Pair]:
    """Lesions left over that lie under a focus which is another lesion's too."""
    taken = {lesion_id for lesion_id, _ in assigned}
    joined: dict[Key, Pair] = {}
    for pair in pairs:
        if pair.is_candidate and pair.is_over and pair.lesion_id not in taken:
            joined[pair.lesion_id, pair.focus_id] = pair
            taken.add(pair.lesion_id)
    return joined


def _split(
    pairs: Sequence[Pair],
    assigned: dict[Key, Pair],
    long_mm: dict[str, float],
    place: dict[str, NDArray[np.float64]],
    fwhm_mm: float,
) -> dict[Key, Pair]:
    """Foci left over that a lesion long enough to hold both has beside its own."""
    own = dict(assigned)
    taken = {focus_id for _, focus_id in own}
    joined: dict[Key, Pair] = {}
    for pair in sorted(pairs, key=lambda p: p.cost):
        first = next((f for lesion_id, f in own if lesion_id == pair.lesion_id), None)
        if first is None or not pair.is_candidate or pair.focus_id in taken:
            continue
        apart_mm = float(np.linalg.norm(place[first] - place[pair.focus_id]))
        if apart_mm <= long_mm[pair.lesion_id] + fwhm_mm:
            joined[pair.lesion_id, pair.focus_id] = pair
            taken.add(pair.focus_id)
    return joined


def _classes(assigned: dict[Key, Pair], joined: dict[Key, Pair]) -> dict[Key, Relation]:
    """The class of every related pair: of several foci, of several lesions, or one to one."""
    keys = list(assigned) + list(joined)
    lesions, foci = [k[0] for k in keys], [k[1] for k in keys]
    classes: dict[Key, Relation] = {}
    for key in keys:
        if lesions.count(key[0]) > 1:
            classes[key] = "split"
        else:
            classes[key] = "merged" if foci.count(key[1]) > 1 else "matched"
    return classes


def _with_ambiguity(
    pair: Pair,
    pairs: Sequence[Pair],
    drawn: Sequence[dict[Key, Relation]],
    rules: RelationRules,
) -> Pair:
    """`pair`, ambiguous where an unrelated candidate for either costs hardly more, or where
    another takes its place in too many draws of the registration error."""
    if pair.relation is None:
        return pair
    rivals = [
        p.cost
        for p in pairs
        if p.is_candidate
        and p.relation is None
        and (p.lesion_id == pair.lesion_id or p.focus_id == pair.focus_id)
    ]
    is_rivalled = any(cost < rules.ambiguous_cost * pair.cost for cost in rivals)
    replaced = np.mean([_is_replaced(pair, related) for related in drawn])
    return replace(pair, is_ambiguous=is_rivalled or bool(replaced > rules.ambiguous_draws))


def _is_replaced(pair: Pair, related: dict[Key, Relation]) -> bool:
    """Whether the lesion or the focus of a pair has another partner, and not this one."""
    if _key(pair) in related:
        return False
    return any(key[0] == pair.lesion_id or key[1] == pair.focus_id for key in related)
