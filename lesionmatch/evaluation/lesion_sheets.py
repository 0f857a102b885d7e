"""Tables of lesions and of foci on PET alone."""

from collections.abc import Iterable, Iterator

from lesionmatch.evaluation.doubted import Doubted
from lesionmatch.evaluation.groups import Group
from lesionmatch.evaluation.lesionwise import Lesionwise
from lesionmatch.evaluation.sheet import Cell, Heading, Sheet, bounds, pair, plain
from lesionmatch.wording import number_of

GROUPS = (
    Heading("view", "By", "text"),
    Heading("group", "Lesions", "text"),
    Heading("lesions", "n", "count"),
    Heading("patients", "Patients", "count"),
    Heading("detected", "Detected", "count"),
    Heading("retrospective", "In retrospect", "count"),
    Heading("not_covered", "Outside the PET", "count"),
    Heading("detection", "Detection", "share"),
    *bounds("exact", "Exact", "share"),
    *bounds("clustered", "By patient", "share"),
    Heading("expected", "Expected", "share"),
    Heading("median_mm", "Median size, mm", "mm"),
)


def lesion_sheet(found: Lesionwise) -> Sheet:
    """Detection of lesions by size, flag and kind, and with those in doubt either way."""
    doubted = found.doubted
    groups: tuple[tuple[str, Iterable[Group]], ...] = (
        ("all", [found.overall]),
        ("size", found.by_size),
        ("size (paper)", found.by_paper_size),
        ("flag", found.by_flag),
        ("kind", found.by_kind),
        ("visibility", found.by_visibility),
        ("doubtful", _each_way(doubted)),
    )
    return Sheet(
        "lesions",
        "Detection lesion by lesion",
        "Detected: positive on the PET unprompted. Found in retrospect: only where the MRI says "
        "where to look, not counted as detected. Lesions outside the PET are left out, and so are "
        f"those of studies whose registration is doubtful ("
        f"{number_of(doubted.as_found.lesions, 'lesion')} in "
        f"{number_of(doubted.studies, 'study')}): the last rows take these as found, as detected "
        "and as missed. Expected: mean chance by the physics of the scanner. Rows by kind hold "
        "benign lesions too.",
        GROUPS,
        tuple(row for view, members in groups for row in _group_rows(view, members)),
    )


def _each_way(doubted: Doubted) -> tuple[Group, ...]:
    """Nothing where nothing was left out."""
    if not doubted.as_found.lesions:
        return ()
    return (doubted.as_found, doubted.with_found, doubted.with_detected, doubted.with_missed)


def _group_rows(view: str, members: Iterable[Group]) -> Iterator[tuple[Cell, ...]]:
    for one in members:
        yield (
            view,
            one.name,
            one.lesions,
            one.patients,
            one.detected,
            one.retrospective,
            one.not_covered,
            plain(one.detection.value),
            *pair(one.detection.exact),
            *pair(one.detection.clustered),
            plain(one.predicted),
            plain(one.median_mm),
        )


def missed_sheet(found: Lesionwise) -> Sheet:
    """Lesions the PET does not show, by reason: Table 2 for lesions."""
    total = sum(found.missed.values())
    rows = tuple(
        (reason, count, count / total if total else None)
        for reason, count in found.missed.items()
        if count
    )
    return Sheet(
        "missed_lesions",
        "Lesions the PET does not show unprompted, by reason",
        "Each lesion once, in the words of Table 2; those found in retrospect are among them.",
        (
            Heading("reason", "Reason", "text"),
            Heading("lesions", "Lesions", "count"),
            Heading("share", "Share", "share"),
        ),
        (*rows, ("total", total, None)),
    )


def foci_sheet(lesions: Lesionwise) -> Sheet:
    """Foci on PET without a lesion on the MRI, by reason."""
    found, doubted = lesions.false_foci, lesions.doubted
    every = (
        "all",
        found.foci,
        plain(found.per_liver),
        *pair(found.exact),
        *pair(found.clustered),
    )
    parts = tuple(
        (reason, count, count / found.livers if found.livers else None, None, None, None, None)
        for reason, count in found.reasons.items()
    )
    return Sheet(
        "false_foci",
        "Foci on PET alone, for each liver",
        f"{found.livers} livers. Exact: Poisson. By patient: Student's on the ratio. Left out: "
        f"{number_of(doubted.foci, 'focus')} in {number_of(doubted.studies, 'study')} whose "
        "registration is doubtful.",
        (
            Heading("reason", "Reason", "text"),
            Heading("foci", "Foci", "count"),
            Heading("per_liver", "For each liver", "number"),
            *bounds("exact", "Exact", "number"),
            *bounds("clustered", "By patient", "number"),
        ),
        (every, *parts),
    )
