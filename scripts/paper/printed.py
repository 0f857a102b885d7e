"""What Grawe et al., Cancer Imaging 2023;23(1), doi 10.1186/s40644-023-00556-9, prints."""

from lesionmatch.accuracy.values import Table

TABLE = Table(tp=1634, fp=16, fn=51, tn=682)
PATIENTS, SIGNIFICANCE = 1000, 0.01

MEASURES = {
    "sensitivity": ("97.0", "96.0", "97.7"),
    "specificity": ("97.7", "96.3", "98.7"),
    "ppv": ("99.0", "98.4", "99.4"),
    "npv": ("93.0", "91.0", "94.8"),
}
"""Percent, with the bounds of the exact 95 % interval."""

KAPPA = ("0.93", "0.92", "0.95")

SHARES = {
    "PET involved, of all studies": (1650, "69.2"),
    "MRI involved, of all studies": (1685, "70.7"),
    "FN, of all studies": (51, "2.1"),
    "FP, of all studies": (16, "0.7"),
}

INCONSISTENCIES = (
    (
        "sizes",
        'Table 2 says "<1.2 cm", the text lists three lesions of 1.2 cm: it should read 1.2 cm or '
        "less. The text's sizes (<0.6, 0.7, 1.2 cm) leave 0.6 cm itself and the gaps open; bins "
        "here are [0, 6), [6, 10), [10, 12], (12, 15] and above 15 mm.",
    ),
    (
        "unit",
        'It says "patient-based", but counts studies: {studies} of {patients} patients '
        "({ratio:.3f} a patient). The exact intervals take each study as a patient of its own.",
    ),
    (
        "repeats",
        'It excludes "studies listed multiple times to one patient" and analyses {studies} studies '
        "of {patients} patients.",
    ),
    (
        "retrospective uptake",
        "Text: two FN studies and the noisy liver had uptake seen in retrospect. Table 2 lists all "
        "three without uptake. Counted as TP they give sensitivity {moved_sensitivity:.2f} %, NPV "
        "{moved_npv:.2f} %.",
    ),
    (
        "correlates",
        'FP "without any correlating findings in MRI", but 8 of the 16 in Table 3 have one: 4 '
        "haemangiomas, 4 cysts. It should read: no malignant correlate.",
    ),
    (
        "vessels",
        '"close to the central hilar vessels" (text) and "close to the big vessels" (Table 2) are '
        "different places.",
    ),
    (
        "neighbours",
        "The discussion has FN near organs with physiologic uptake; Table 2 has no such row.",
    ),
    (
        "counts and rates",
        "FN more frequent than FP, p < 0.01: true of the counts ({counts_p:.2g}, McNemar), not of "
        "the rates 51/1685 and 16/698 (p = {rates_p:.3f}). High specificity does not follow.",
    ),
    ("dose", 'Gadoxetate "25 mol/kg": the unit is lost.'),
    (
        "reference",
        "MRI is the reference, but only discordant studies were read again with both: differential "
        "verification.",
    ),
    (
        "interval",
        'Abstract: "interval of +3 months"; text: "within 3 months after". Whether an MRI before '
        "the PET counts, or one MRI for two PETs, is not said.",
    ),
    ("repetition", "A sentence fragment stands twice in the discussion."),
)
"""By what each is about; what can be computed is filled in."""
