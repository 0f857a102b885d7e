"""What a study is called."""

from dataclasses import dataclass

import numpy as np
import pytest

from lesionmatch.calls import Circumstances, call
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Mask
from lesionmatch.lesions import Lesion, lesions_from
from lesionmatch.protocol import CallRules, LesionRules
from lesionmatch.segments import Kind, Segment

GRID = Grid.of(Frame("mri"), (10, 10, 10))
WHOLE = Circumstances(liver_on_mri=1.0, liver_on_pet=1.0, registration_doubts=())
DOUBTED = Circumstances(1.0, 1.0, ("MRI and CT share only 0.02 nats",))
TWICE = Circumstances(1.0, 0.5, ("MRI and CT share only 0.02 nats", "the map folds", "it is thin"))


def lesion(kind: Kind, voxels: int) -> Lesion:
    array = np.zeros(GRID.shape, np.bool_)
    array[0, 0, :voxels] = True
    return lesions_from([Segment("x", kind, Mask(GRID, array), "test")], LesionRules())[0]


@dataclass(frozen=True)
class SeenLesion:
    lesion: Lesion
    status: str
    reason: str | None = None
    evidence: str = "5.1 mm"


@dataclass(frozen=True)
class SeenFocus:
    counts: bool = True
    lesion_ids: tuple[str, ...] = ()
    reason: str | None = None
    evidence: str = "2.5 x liver"
    z: float = 8.0


FAINT = SeenFocus(z=5.69, reason="unexplained")


def met(status: str, reason: str | None = None, voxels: int = 3) -> SeenLesion:
    return SeenLesion(lesion(Kind.METASTASIS, voxels), status, reason)


CYST = SeenLesion(lesion(Kind.CYST, 3), "negative")


@pytest.mark.parametrize(
    ("lesions", "foci", "circumstances", "cell", "why"),
    [
        (
            [met("positive"), met("negative", "small_size")],
            [SeenFocus(lesion_ids=("L1",))],
            WHOLE,
            ("involved", "involved", "TP"),
            "2 metastases on the MRI, of which the PET shows 1 unprompted.",
        ),
        (
            [met("negative", "small_size")],
            [SeenFocus()],
            WHOLE,
            ("involved", "involved", "TP"),
            "1 metastasis on the MRI, which the PET does not show, "
            "and 1 focus elsewhere on the PET.",
        ),
        (
            [met("negative", "small_size"), met("retrospective", "subcapsular")],
            [],
            WHOLE,
            ("involved", "not_involved", "FN"),
            "2 metastases on the MRI, of which the PET shows none unprompted and 1 in retrospect "
            "(small size: 5.1 mm).",
        ),
        (
            [met("retrospective", "subcapsular")],
            [],
            WHOLE,
            ("involved", "not_involved", "FN"),
            "1 metastasis on the MRI, which the PET shows in retrospect only "
            "(subcapsular: 5.1 mm).",
        ),
        (
            [met("positive"), met("not_covered"), met("not_covered"), met("retrospective")],
            [SeenFocus(lesion_ids=("L1",)), SeenFocus()],
            WHOLE,
            ("involved", "involved", "TP"),
            "4 metastases on the MRI, of which the PET shows 1 unprompted and 1 in retrospect; "
            "2 lie beyond it, and 1 focus elsewhere on the PET.",
        ),
        (
            [met("not_covered")],
            [SeenFocus()],
            WHOLE,
            ("involved", "involved", "TP"),
            "1 metastasis on the MRI, which lies beyond the PET, and 1 focus elsewhere on the PET.",
        ),
        (
            [],
            [],
            Circumstances(0.9499, 0.9, ("it is thin",)),
            ("uncertain", "uncertain", None),
            "No lesion on the MRI and no focus on the PET, but the MRI covers 94 % of the liver, "
            "the PET covers 90 % of the liver and the registration is doubtful: it is thin.",
        ),
        (
            [],
            [SeenFocus(reason="unexplained"), SeenFocus()],
            WHOLE,
            ("not_involved", "involved", "FP"),
            "2 foci on the PET, no lesion on the MRI (unexplained: 2.5 x liver).",
        ),
        (
            [CYST],
            [SeenFocus(lesion_ids=("L1",), reason="cyst")],
            WHOLE,
            ("not_involved", "involved", "FP"),
            "1 focus on the PET, only benign lesions (1) on the MRI (cyst: 2.5 x liver).",
        ),
        (
            [],
            [],
            WHOLE,
            ("not_involved", "not_involved", "TN"),
            "No focus on the PET and no lesion on the MRI.",
        ),
        (
            [],
            [],
            Circumstances(0.95, 0.95, ()),  # enough, and no less
            ("not_involved", "not_involved", "TN"),
            "No focus on the PET and no lesion on the MRI.",
        ),
        (
            [CYST],
            [],
            WHOLE,
            ("not_involved", "not_involved", "TN"),
            "No focus on the PET and only benign lesions (1) on the MRI.",
        ),
        (
            [],
            [SeenFocus(counts=False)],
            WHOLE,
            ("not_involved", "not_involved", "TN"),
            "No focus on the PET and no lesion on the MRI.",
        ),
        (
            [],
            [],
            Circumstances(1.0, 0.6, ()),
            ("not_involved", "uncertain", None),
            "No lesion on the MRI and no focus on the PET, but the PET covers 60 % of the liver.",
        ),
        (
            [met("not_covered")],
            [],
            WHOLE,
            ("involved", "uncertain", None),
            "1 metastasis on the MRI and no focus on the PET, but 1 lesion lies beyond the PET.",
        ),
        (
            [met("negative", "misregistration")],
            [],
            DOUBTED,
            ("involved", "uncertain", None),
            "1 metastasis on the MRI and no focus on the PET, "
            "but the registration is doubtful: MRI and CT share only 0.02 nats.",
        ),
        (
            [],
            [],
            TWICE,
            ("not_involved", "uncertain", None),
            "No lesion on the MRI and no focus on the PET, but the PET covers 50 % of the liver "
            "and the registration is doubtful: MRI and CT share only 0.02 nats "
            "(and 2 other doubts).",
        ),
        (
            [met("positive")],
            [SeenFocus(lesion_ids=("L1",))],
            Circumstances(1.0, 0.5, ()),
            ("involved", "involved", "TP"),
            "1 metastasis on the MRI, which the PET shows unprompted.",
        ),
        (
            [],
            [],
            Circumstances(0.8, 1.0, ()),
            ("uncertain", "uncertain", None),
            "No lesion on the MRI and no focus on the PET, but the MRI covers 80 % of the liver.",
        ),
        (
            [],
            [SeenFocus(reason="unexplained")],
            Circumstances(0.8, 0.5, ()),
            ("uncertain", "involved", None),
            "No lesion on the MRI and 1 focus on the PET, but the MRI covers 80 % of the liver.",
        ),
        (
            [met("negative", "small_size")],
            [],
            Circumstances(0.8, 0.7, ()),
            ("involved", "uncertain", None),
            "1 metastasis on the MRI and no focus on the PET, but the MRI covers 80 % of the liver "
            "and the PET covers 70 % of the liver.",
        ),
        (
            [met("positive")],
            [SeenFocus(lesion_ids=("L1",))],
            Circumstances(0.8, 0.7, ()),
            ("involved", "involved", "TP"),
            "1 metastasis on the MRI, which the PET shows unprompted.",
        ),
        (
            [met("positive"), met("positive"), met("negative", "misregistration")],
            [SeenFocus(lesion_ids=("L1",)), SeenFocus(lesion_ids=("L2",))],
            TWICE,
            ("involved", "uncertain", None),
            "3 metastases on the MRI and 2 foci on the PET, but the registration is doubtful: "
            "MRI and CT share only 0.02 nats (and 2 other doubts).",
        ),
        (
            [CYST],
            [SeenFocus(reason="unexplained")],
            DOUBTED,
            ("not_involved", "uncertain", None),
            "Only benign lesions (1) on the MRI and 1 focus on the PET, "
            "but the registration is doubtful: MRI and CT share only 0.02 nats.",
        ),
        (
            [],
            [FAINT],
            WHOLE,
            ("not_involved", "not_involved", "TN"),
            "A focus too faint to count alone (5.6 standard deviations, wanted 5.7) on the PET "
            "and no lesion on the MRI.",
        ),
        (
            [CYST],
            [SeenFocus(z=5.0, lesion_ids=("L1",))],
            WHOLE,
            ("not_involved", "not_involved", "TN"),
            "A focus too faint to count alone (5 standard deviations, wanted 5.7) on the PET "
            "and only benign lesions (1) on the MRI.",
        ),
        (
            [met("negative", "small_size")],
            [FAINT],
            WHOLE,
            ("involved", "not_involved", "FN"),
            "1 metastasis on the MRI, which the PET does not show, and only a focus too faint to "
            "count alone (5.6 standard deviations, wanted 5.7) elsewhere on the PET "
            "(small size: 5.1 mm).",
        ),
        (
            [met("positive")],
            [SeenFocus(lesion_ids=("L1",), z=5.0)],  # a lesion supports it
            WHOLE,
            ("involved", "involved", "TP"),
            "1 metastasis on the MRI, which the PET shows unprompted.",
        ),
        (
            [],
            [FAINT, FAINT],  # noise seldom makes two
            WHOLE,
            ("not_involved", "involved", "FP"),
            "2 foci on the PET, no lesion on the MRI (unexplained: 2.5 x liver).",
        ),
        (
            [],
            [SeenFocus(z=5.7)],
            WHOLE,
            ("not_involved", "involved", "FP"),
            "1 focus on the PET, no lesion on the MRI.",
        ),
        (
            [],
            [FAINT],
            Circumstances(1.0, 0.6, ()),
            ("not_involved", "uncertain", None),
            "No lesion on the MRI and a focus too faint to count alone "
            "(5.6 standard deviations, wanted 5.7) on the PET, "
            "but the PET covers 60 % of the liver.",
        ),
    ],
)
def test_the_calls_on_a_study(
    lesions: list[SeenLesion],
    foci: list[SeenFocus],
    circumstances: Circumstances,
    cell: tuple[str, str, str | None],
    why: str,
) -> None:
    calls = call(lesions, foci, circumstances, rules=CallRules())
    assert (calls.mri, calls.pet, calls.cell) == cell
    assert calls.why == why


def test_the_reason_of_a_missed_study_is_that_of_its_largest_lesion() -> None:
    lesions = [met("negative", "small_size", 2), met("negative", "low_uptake", 8)]
    assert call(lesions, [], WHOLE, rules=CallRules()).reason == "low_uptake"


def test_the_reason_of_a_false_positive_study_is_that_of_its_first_focus() -> None:
    foci = [SeenFocus(counts=False), SeenFocus(reason="cyst"), SeenFocus(reason="unexplained")]
    assert call([], foci, WHOLE, rules=CallRules()).reason == "cyst"


def test_an_unspecified_lesion_counts_and_is_not_called_a_metastasis() -> None:
    unspecified = SeenLesion(lesion(Kind.UNSPECIFIED, 3), "negative", "small_size")
    calls = call([unspecified, met("negative")], [], WHOLE, rules=CallRules())
    assert calls.cell == "FN"
    assert calls.why.startswith("2 lesions on the MRI, of which the PET shows none")


@pytest.mark.parametrize(
    ("benign", "said"),
    [(1, "(1 benign lesion does not count)"), (2, "(2 benign lesions do not count)")],
)
def test_benign_lesions_beside_metastases_are_named_and_do_not_count(
    benign: int, said: str
) -> None:
    seen = [met("positive"), *[CYST] * benign]
    calls = call(seen, [SeenFocus(lesion_ids=("L1",))], WHOLE, rules=CallRules())
    assert calls.why == f"1 metastasis on the MRI {said}, which the PET shows unprompted."
