"""Who stays in the cohort: each study that leaves does so at one step, for one stated reason.

The steps are pure functions of the studies found, the clinical table and the options, in
the order in which the flow shows them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lesionmatch.cohort.clinical import Clinical, ClinicalTable
from lesionmatch.cohort.options import CohortOptions
from lesionmatch.cohort.pairing import Pair, Scan, allowed_pairs, pairs
from lesionmatch.cohort.problems import Problem, find_problems
from lesionmatch.cohort.studies import Study

OTHER_WINDOWS = ((0, 30), (0, 60), (0, 92), (-92, 92))
"""Windows under which the pairs are counted besides, for the reader to see what it changes."""

RECEPTOR_NUCLIDES = frozenset({"", "68Ga", "64Cu", "61Cu", "44Sc"})
"""What ligands of the somatostatin receptor are labelled with where none is named; 18F is too,
but is FDG's first of all."""


@dataclass(frozen=True, slots=True)
class Left:
    """A study that is not in the cohort, or not with this role, and why."""

    study: Study
    kind: str
    """PET/CT, MRI or other."""
    step: str
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """The cohort: its pairs, all that left and why, and what does not hold together."""

    studies: tuple[Study, ...]
    pairs: tuple[Pair, ...]
    left: tuple[Left, ...]
    problems: tuple[Problem, ...]
    counts: tuple[tuple[str, int, int], ...]
    """PET/CTs and their patients before each step, by the name of the one before."""
    windows: dict[tuple[int, int], int]
    """Pairs there would be under other windows, rules and all."""


STEPS = ("PET/CT recognised", "Eligible patient", "Liver MRI in the window")


def select(
    studies: Sequence[Study], table: ClinicalTable | None, options: CohortOptions
) -> Selection:
    """Apply every rule to every study."""
    problems, conflicted = find_problems(studies)
    pets = [study for study in studies if study.has_pet]
    mris = [study for study in studies if study.has_mri]
    others = [study for study in studies if not (study.has_pet or study.has_mri)]
    left = [Left(study, "other", "recognised", _other(study)) for study in others]

    def usable(study: Study) -> str | None:
        return conflicted.get(study.uid) or (None if study.days else "no readable date")

    good, gone = _parted(pets, "PET/CT", STEPS[0], lambda s: _not_ssr(s, options) or usable(s))
    seen, blind = _parted(
        mris, "MRI", "liver MRI recognised", lambda s: _no_hbp(s, options) or usable(s)
    )
    eligible, refused = _parted(good, "PET/CT", STEPS[1], lambda s: _ineligible(s, table, options))
    found, windows = _paired(eligible, seen, table, options)
    why = _unpaired(eligible, seen, found, table, options)
    _, alone = _parted(eligible, "PET/CT", STEPS[2], lambda s: why.get(s.uid))
    used = {pair.mri.uid for pair in found}
    spare = [Left(s, "MRI", "paired", "no PET/CT for it") for s in seen if s.uid not in used]
    kept = zip(("PET studies in the tree", *STEPS[:2]), (pets, good, eligible), strict=True)
    problems += _clinical_problems(eligible + [one.study for one in refused], table)
    everyone = (*left, *gone, *refused, *alone, *blind, *spare)
    counts = tuple(_count(name, those) for name, those in kept)
    return Selection(tuple(studies), found, everyone, tuple(problems), counts, windows)


def _count(name: str, studies: Sequence[Study]) -> tuple[str, int, int]:
    return name, len(studies), len({study.patient for study in studies})


def _parted(
    studies: Iterable[Study], kind: str, step: str, why: Callable[[Study], str | None]
) -> tuple[list[Study], list[Left]]:
    """Those without a reason to leave, and those with one."""
    kept, gone = [], []
    for study in studies:
        if (reason := why(study)) is None:
            kept.append(study)
        else:
            gone.append(Left(study, kind, step, reason))
    return kept, gone


def _other(study: Study) -> str:
    modalities = " ".join(sorted(study.files)) or "unknown"
    return f"neither PET nor MRI ({modalities})"


def _not_ssr(study: Study, options: CohortOptions) -> str | None:
    series = study.pet_series
    if not series:
        return "no attenuation-corrected static PET series"
    ligands = {facts.ligand for facts in series}
    if options.any_tracer or ligands - {"", "other"}:
        return None
    if "other" in ligands:
        return "PET with another tracer"
    if not {facts.nuclide for facts in series} <= RECEPTOR_NUCLIDES:
        return "tracer not named, and its nuclide is not usual for the receptor"
    return None


def _no_hbp(study: Study, options: CohortOptions) -> str | None:
    score = study.hbp_score
    if score is None or score < options.protocol.series.hbp_least_score:
        return "MRI without a series in the hepatobiliary phase"
    return None


def age_of(study: Study, table: ClinicalTable | None) -> float | None:
    """Years at the study, by DICOM, else by the clinical table."""
    if study.age_years is not None or not study.days:
        return study.age_years
    clinical = _clinical(study, table)
    return None if clinical is None else clinical.age_at(study.days[0])


def _ineligible(study: Study, table: ClinicalTable | None, options: CohortOptions) -> str | None:
    age = age_of(study, table)
    if age is not None and age < options.least_age:
        return f"younger than {options.least_age:g} years"
    if table is None:
        return None
    clinical = _clinical(study, table)
    if clinical is None:
        return "not in the clinical table"
    if clinical.conflicts:
        return f"clinical rows differ in {', '.join(clinical.conflicts)}"
    if options.grades and table.has("grade") and clinical.grade not in options.grades:
        return f"grade {clinical.grade}" if clinical.grade else "grade not stated"
    entities = {name.casefold() for name in options.entities}
    if entities and clinical.entity.casefold() not in entities:
        return "another entity" if clinical.entity else "entity not stated"
    return None


def _clinical(study: Study, table: ClinicalTable | None) -> Clinical | None:
    return None if table is None else table.patients.get(study.patient)


def therapy_between(pair: Pair, table: ClinicalTable | None) -> bool:
    """Whether a therapy lies between the scans, the days of both included.

    Which came first on such a day is not known. Where both scans are of one day, a therapy
    of that day is taken to have come after them.
    """
    if table is None or (clinical := table.patients.get(pair.pet.patient)) is None:
        return False
    first, last = sorted((pair.pet.day, pair.mri.day))
    return any(first <= day <= last for day in clinical.therapies) and first != last


def _paired(
    pets: Sequence[Study],
    mris: Sequence[Study],
    table: ClinicalTable | None,
    options: CohortOptions,
) -> tuple[tuple[Pair, ...], dict[tuple[int, int], int]]:
    """The pairs, and how many there would be under other windows."""
    pet_scans, mri_scans = [_scan(study) for study in pets], [_scan(study) for study in mris]

    def under(window: tuple[int, int]) -> tuple[Pair, ...]:
        return pairs(
            pet_scans,
            mri_scans,
            window,
            shared_mri=options.shared_mri,
            keep=lambda pair: options.keep_treated or not therapy_between(pair, table),
        )

    windows = {window: len(under(window)) for window in {*OTHER_WINDOWS, options.window}}
    return under(options.window), dict(sorted(windows.items()))


def _scan(study: Study) -> Scan:
    return Scan(study.uid, study.patient, study.days[0])


def _unpaired(
    pets: Sequence[Study],
    mris: Sequence[Study],
    found: Sequence[Pair],
    table: ClinicalTable | None,
    options: CohortOptions,
) -> dict[str, str]:
    """Why each PET/CT without a partner has none."""
    first, last = options.window
    paired = {pair.pet.uid for pair in found}
    alone = [_scan(study) for study in pets if study.uid not in paired]
    scans = [_scan(study) for study in mris]
    has_mri = {scan.patient for scan in scans}
    inside = allowed_pairs(alone, scans, (first, last))
    treated = Counter(pair.pet.uid for pair in inside if therapy_between(pair, table))
    in_window = Counter(pair.pet.uid for pair in inside)
    reasons = {}
    for scan in alone:
        if scan.patient not in has_mri:
            reasons[scan.uid] = "no liver MRI of the patient"
        elif not in_window[scan.uid]:
            reasons[scan.uid] = f"no liver MRI within {first} to {last} days"
        elif treated[scan.uid] == in_window[scan.uid] and not options.keep_treated:
            reasons[scan.uid] = "therapy between the scans"
        else:
            reasons[scan.uid] = "its MRI is nearer to another PET/CT"
    return reasons


def _clinical_problems(studies: Sequence[Study], table: ClinicalTable | None) -> list[Problem]:
    """Patients whose age nobody states: the rule of age could not be applied to them."""
    unknown = {study.patient: study for study in studies if age_of(study, table) is None}
    return [
        Problem(patient, study.uid, "age not known; kept, the rule of age was not applied")
        for patient, study in unknown.items()
    ]
