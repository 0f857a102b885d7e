"""What each study says of the liver, and the cell of the paper's table this makes.

The MRI is the reference: it is involved with a lesion that counts, and not without one. The
PET is involved with a focus found unprompted that no physiologic uptake explains, whatever
the MRI makes of it. Only where a single focus is all there is, and none of the lesions that
count, does it have to stand out more: noise makes a faint one in some three of a hundred livers.
Either is *uncertain* rather than not involved where it was not in a position to show a lesion:
part of the liver lies beyond the scan, or on the PET a lesion does.
The PET is read where the liver of the MRI lies, so what the MRI cuts off was read on neither.
Where the registration is doubtful the PET is uncertain whatever was found, because the liver
may not lie where foci were looked for and the two scans may not even belong together.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lesionmatch.lesions import Lesion
from lesionmatch.protocol import CallRules
from lesionmatch.segments import Kind
from lesionmatch.wording import begun, enumerated, number_of

Involvement = Literal["involved", "not_involved", "uncertain"]
Cell = Literal["TP", "FP", "FN", "TN"]


OF_ONE = {
    "positive": "the PET shows unprompted",
    "retrospective": "the PET shows in retrospect only",
    "negative": "the PET does not show",
    "not_covered": "lies beyond the PET",
}
"""What the PET says of the only lesion that counts, by its status."""


class LesionSeen(Protocol):
    """What a call needs to know of a lesion."""

    @property
    def lesion(self) -> Lesion:
        """As drawn."""

    @property
    def status(self) -> str:
        """positive, retrospective, negative or not_covered."""

    @property
    def reason(self) -> str | None:
        """Why PET and MRI disagree on it, if they do."""

    @property
    def evidence(self) -> str:
        """What the reason stands on."""


class FocusSeen(Protocol):
    """What a call needs to know of a focus."""

    @property
    def z(self) -> float:
        """Standard deviations above the liver around it."""

    @property
    def counts(self) -> bool:
        """Whether it is a finding."""

    @property
    def lesion_ids(self) -> tuple[str, ...]:
        """Lesions it belongs to."""

    @property
    def reason(self) -> str | None:
        """Why PET and MRI disagree on it, if they do."""

    @property
    def evidence(self) -> str:
        """What the reason stands on."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a study was in a position to show."""

    liver_on_mri: float
    """Share of the liver that the MRI covers, 0 to 1."""
    liver_on_pet: float
    """Share of what the MRI shows of it inside the PET's coverage, 0 to 1."""
    registration_doubts: tuple[str, ...]
    """What speaks against the registration; none where matched lesions clear it."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls on one study."""

    mri: Involvement
    pet: Involvement
    cell: Cell | None
    """None where a call is uncertain."""
    reason: str | None
    """One for a discordant study: that of its largest missed lesion or hottest focus."""
    why: str
    """A sentence for a reader."""


def call(
    lesions: Sequence[LesionSeen],
    foci: Sequence[FocusSeen],
    circumstances: Circumstances,
    *,
    rules: CallRules,
) -> Calls:
    """The calls on a study from its lesions and its foci, those first that stand out most."""
    counting = [seen for seen in lesions if seen.lesion.kind.counts]
    findings = [focus for focus in foci if focus.counts]
    is_faint = _is_one_faint(findings, counting, rules)
    convincing = () if is_faint else findings
    cut = _cut(circumstances.liver_on_mri, "MRI", rules)
    mri_doubts = () if counting else cut
    pet_doubts = () if convincing else (*cut, *_gaps(counting, circumstances, rules))
    pet_doubts = (*pet_doubts, *_misgivings(circumstances))
    mri, pet = _called(counting, mri_doubts), _called(convincing, pet_doubts)
    cell = _cell(mri, pet)
    odd = _odd_one(cell, counting, convincing)
    doubts = tuple(dict.fromkeys((*mri_doubts, *pet_doubts)))
    faint = _faint(findings[0].z, rules) if is_faint else ""
    said = _why(
        cell, counting, convincing, doubts, benign=len(lesions) - len(counting), faint=faint
    )
    return Calls(
        mri=mri,
        pet=pet,
        cell=cell,
        reason=odd.reason if odd else None,
        why=f"{said}{_because(odd)}.",
    )


def _is_one_faint(
    findings: Sequence[FocusSeen], counting: Sequence[LesionSeen], rules: CallRules
) -> bool:
    """Whether all the PET shows is one focus that noise may have made and no lesion supports."""
    if len(findings) != 1 or findings[0].z >= rules.lone_z:
        return False
    return {seen.lesion.lesion_id for seen in counting}.isdisjoint(findings[0].lesion_ids)


def _called(found: Sequence[object], doubts: Sequence[str]) -> Involvement:
    if doubts:
        return "uncertain"
    return "involved" if found else "not_involved"


def _cut(share: float, scan: str, rules: CallRules) -> tuple[str, ...]:
    """That a scan does not show all of the liver, as one clause or none."""
    if share >= rules.liver_covered:
        return ()
    # Rounded down: 95 % would not be too little.
    return (f"the {scan} covers {math.floor(100.0 * share)} % of the liver",)


def _gaps(
    counting: Sequence[LesionSeen], circumstances: Circumstances, rules: CallRules
) -> tuple[str, ...]:
    """What a PET without a finding did not cover, as clauses; it is then no negative PET."""
    cut = _cut(circumstances.liver_on_pet, "PET", rules)
    beyond = _beyond(counting)
    return (*cut, f"{number_of(beyond, 'lesion')} {_lie(beyond)} beyond the PET") if beyond else cut


def _beyond(counting: Sequence[LesionSeen]) -> int:
    return sum(seen.status == "not_covered" for seen in counting)


def _lie(n: int) -> str:
    return "lies" if n == 1 else "lie"


def _misgivings(circumstances: Circumstances) -> tuple[str, ...]:
    """What speaks against the registration, as one clause or none."""
    if not circumstances.registration_doubts:
        return ()
    first, *others = circumstances.registration_doubts
    more = f" (and {number_of(len(others), 'other doubt')})" if others else ""
    return (f"the registration is doubtful: {first}{more}",)


def _cell(mri: Involvement, pet: Involvement) -> Cell | None:
    match mri, pet:
        case "involved", "involved":
            return "TP"
        case "involved", "not_involved":
            return "FN"
        case "not_involved", "involved":
            return "FP"
        case "not_involved", "not_involved":
            return "TN"
        case _:
            return None


def _odd_one(
    cell: Cell | None, counting: Sequence[LesionSeen], findings: Sequence[FocusSeen]
) -> LesionSeen | FocusSeen | None:
    """What stands for a discordant study: its largest missed lesion or its first focus."""
    if cell == "FN":
        return max(counting, key=lambda seen: seen.lesion.volume_ml)
    return findings[0] if cell == "FP" else None


def _because(odd: LesionSeen | FocusSeen | None) -> str:
    """The reason of a discordant study as a clause."""
    if odd is None or odd.reason is None:
        return ""
    return f" ({odd.reason.replace('_', ' ')}: {odd.evidence})"


def _why(
    cell: Cell | None,
    counting: Sequence[LesionSeen],
    findings: Sequence[FocusSeen],
    doubts: Sequence[str],
    *,
    benign: int,
    faint: str,
) -> str:
    """The sentence without its reason; `faint` is what the PET shows that does not count."""
    on_pet = faint or (number_of(len(findings), "focus") if findings else "no focus")
    mri = f"{_involving(counting)} on the MRI{_beside(benign)}"
    match cell:
        case "TP" | "FN":
            only = f", and only {faint} elsewhere on the PET" if faint else ""
            return f"{mri}{_shown(counting)}{_elsewhere(counting, findings)}{only}"
        case "FP":
            return (
                f"{number_of(len(findings), 'focus')} on the PET, {_no_lesion(benign)} on the MRI"
            )
        case "TN":
            return f"{begun(on_pet)} on the PET and {_no_lesion(benign)} on the MRI"
        case None:
            found = mri if counting else f"{_no_lesion(benign)} on the MRI"
            return f"{begun(found)} and {on_pet} on the PET, but {enumerated(doubts)}"


def _faint(z: float, rules: CallRules) -> str:
    """A focus too faint to count alone; rounded down, for 5.7 would count."""
    height = math.floor(10.0 * z) / 10.0
    wanted = f"{height:g} standard deviations, wanted {rules.lone_z:g}"
    return f"a focus too faint to count alone ({wanted})"


def _involving(counting: Sequence[LesionSeen]) -> str:
    """How many lesions count, called by their kind where they have one."""
    named = all(seen.lesion.kind is Kind.METASTASIS for seen in counting)
    return number_of(len(counting), "metastasis" if named else "lesion")


def _beside(benign: int) -> str:
    if not benign:
        return ""
    return f" ({number_of(benign, 'benign lesion')} {'does' if benign == 1 else 'do'} not count)"


def _shown(counting: Sequence[LesionSeen]) -> str:
    """How many of the lesions the PET shows, and how many it could not."""
    count = Counter(seen.status for seen in counting)
    if len(counting) == 1:
        return f", which {OF_ONE[counting[0].status]}"
    shown, late, beyond = (count[one] for one in ("positive", "retrospective", "not_covered"))
    found = f", of which the PET shows {shown or 'none'} unprompted"
    found += f" and {late} in retrospect" if late else ""
    return f"{found}; {beyond} {_lie(beyond)} beyond it" if beyond else found


def _elsewhere(counting: Sequence[LesionSeen], findings: Sequence[FocusSeen]) -> str:
    """Findings that are none of the lesions that count."""
    ids = {seen.lesion.lesion_id for seen in counting}
    alone = sum(ids.isdisjoint(focus.lesion_ids) for focus in findings)
    return f", and {number_of(alone, 'focus')} elsewhere on the PET" if alone else ""


def _no_lesion(benign: int) -> str:
    return f"only benign lesions ({benign})" if benign else "no lesion"
