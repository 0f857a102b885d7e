"""Tables of readers: who agrees with whom, and each against the reference."""

from lesionmatch.accuracy.values import Undefined
from lesionmatch.evaluation.readers import Reading
from lesionmatch.evaluation.sheet import (
    Heading,
    Sheet,
    brief,
    cells,
    counted,
    estimated,
    test_cells,
)

PAIRS = (
    Heading("modality", "Of", "text"),
    Heading("one", "One", "text"),
    Heading("other", "Other", "text"),
    Heading("studies", "Studies", "count"),
    Heading("differ", "Differ", "count"),
    Heading("uncertain", "Uncertain", "count"),
    *estimated("agreement", "Agreement"),
    *estimated("kappa", "Kappa", "number"),
    Heading("marginal_p", "One says involved oftener, p", "p"),
)
AGAINST = (
    Heading("source", "PET by", "text"),
    Heading("reference", "MRI by", "text"),
    *counted(),
    Heading("uncertain", "Uncertain", "count"),
    *estimated("sensitivity", "Sensitivity"),
    *estimated("specificity", "Specificity"),
)


def pairs_sheet(found: Reading) -> Sheet:
    """Agreement of readers, consensus and table, two at a time."""
    rows = tuple(
        (
            pair.modality.upper(),
            pair.one,
            pair.other,
            pair.summary.table.total,
            len(pair.discordant),
            pair.summary.uncertain,
            *brief(pair.summary.estimates["accuracy"]),
            *brief(pair.summary.estimates["kappa"]),
            *test_cells("", pair.marginal)[2:],
        )
        for pair in found.pairs
    )
    said = ", ".join(
        f"{modality.upper()} {value if isinstance(value, Undefined) else format(value, '.2f')}"
        for modality, value in found.fleiss.items()
    )
    return Sheet(
        "readers",
        "Readers, their consensus and the table: who agrees with whom",
        "Over studies both are sure of; those one of them is uncertain of are counted beside "
        "them. Intervals by patient. "
        f"Fleiss' kappa of all readers: {said}. "
        f"Studies read that are not in the table, and left out: {len(found.unknown)}.",
        PAIRS,
        rows,
    )


def against_sheet(found: Reading) -> Sheet:
    """PET calls of each source against the reference."""
    rows = tuple(
        (
            one.source,
            one.reference,
            *cells(one.summary.table),
            one.summary.uncertain,
            *brief(one.summary.estimates["sensitivity"]),
            *brief(one.summary.estimates["specificity"]),
        )
        for one in found.accuracy
    )
    return Sheet(
        "readers_accuracy",
        "PET calls of each reader against the MRI",
        "Reference: the readers' consensus on the MRI where they read it, else the table's.",
        AGAINST,
        rows,
    )
