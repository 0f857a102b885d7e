"""What lesions and foci say of the registration that brought them together."""

from collections.abc import Sequence

from lesionmatch.concordance.pairs import Focus, Pair
from lesionmatch.concordance.relations import Relations
from lesionmatch.lesions import Carried, equivalent_diameter_mm
from lesionmatch.protocol import Protocol
from lesionmatch.wording import number_of


def confirms(relations: Relations, carried: Sequence[Carried], protocol: Protocol) -> bool:
    """Whether matched lesions show that the registration holds, whatever else doubts it.

    Being matched is not enough: a doubtful registration looks for foci far around, and three
    of the lesions of one patient find one each among the foci of another. They must lie on
    them. A lesion drawn on the PET/CT says nothing of the registration.
    """
    telling = [
        pair
        for pair in _on_their_foci(relations, carried, protocol)
        if pair.relation == "matched" and not pair.is_ambiguous
    ]
    return len(telling) >= protocol.reasons.confirmed_count


def _on_their_foci(
    relations: Relations, carried: Sequence[Carried], protocol: Protocol
) -> list[Pair]:
    """Related pairs that lie on each other, of lesions drawn on the MRI."""
    on_mri = {one.lesion.lesion_id for one in carried if not one.lesion.is_redrawn}
    return [
        pair
        for pair in relations.pairs
        if pair.relation
        and pair.distance_mm <= protocol.landmarks.agreement_mm
        and pair.lesion_id in on_mri
    ]


def refutations(
    relations: Relations, carried: Sequence[Carried], foci: Sequence[Focus], protocol: Protocol
) -> tuple[str, ...]:
    """What speaks against the registration: a sentence where lesions and foci are strangers.

    One scan may show a single lesion that the other does not. That none lies on a focus, while
    there are large ones, and several large foci have no lesion, is what the scans of two
    patients look like, or of one whose liver was laid beside itself; a few still match by chance.
    """
    rules = protocol.reasons
    if _on_their_foci(relations, carried, protocol):
        return ()
    lesions = [
        one.lesion for one in carried if one.lesion.kind.counts and not one.lesion.is_redrawn
    ]
    alone = [
        focus.extent
        for focus in foci
        if focus.physiologic_neighbour is None and not relations.lesions_of(focus.focus_id)
    ]
    drawn = sum(one.equivalent_diameter_mm >= rules.stranger_mm for one in lesions)
    shown = sum(equivalent_diameter_mm(one.volume_ml) >= rules.stranger_mm for one in alone)
    if not drawn or shown < rules.stranger_count:
        return ()
    return (
        f"none of {number_of(len(lesions), 'lesion')} on the MRI lies on a focus of the PET, and "
        f"{shown} foci of {rules.stranger_mm:g} mm and more have no lesion: the scans may not "
        "show the same liver",
    )
