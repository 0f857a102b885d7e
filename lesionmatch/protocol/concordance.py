"""Thresholds of the concordance part."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True, slots=True)
class RelationRules:
    """When a lesion and a focus are the same thing."""

    tolerance_most_mm: float = threshold(
        15.0,
        "mm",
        "no lesion and focus further apart than this are related",
        "own choice; twice the resolution of a PET of the liver",
        least=1.0,
        most=50.0,
    )
    ambiguous_cost: float = threshold(
        1.2,
        "ratio",
        "a relation is ambiguous where the second best costs less than this times the best",
        "own choice; a fifth is within what a registration error changes",
        least=1.0,
        most=5.0,
    )
    ambiguous_draws: float = threshold(
        0.1,
        "ratio",
        "a relation is ambiguous where another replaces it in more draws of the error than this",
        "own choice; twice what the 95 % bound of the error leaves open",
        least=0.0,
        most=1.0,
    )
    draws: float = threshold(
        20.0,
        "draws",
        "draws of the registration error that show whether a relation is ambiguous",
        "own choice; a share of a tenth is then known to about 0.07",
        least=1.0,
        most=1000.0,
    )
    shared_overlap: float = threshold(
        0.5,
        "ratio",
        "a second lesion shares a focus that covers at least this much of its inner half",
        "own choice; a neighbour of a hot lesion is touched by its blur, not covered",
        least=0.05,
        most=1.0,
    )
    considered_mm: float = threshold(
        30.0,
        "mm",
        "pairs whose focus has its centre this near the lesion's surface are listed",
        "own choice; the range of displacements between breath holds",
        least=1.0,
        most=100.0,
    )


@dataclass(frozen=True, slots=True)
class ReasonRules:
    """What explains that the PET and the MRI disagree on a lesion or a focus."""

    small_size_mm: float = threshold(
        12.0,
        "mm",
        "up to this long axis size may explain a miss",
        "Grawe et al. 2023, Table 2: small lesions up to 1.2 cm",
        least=1.0,
        most=30.0,
    )
    retrospective_p: float = threshold(
        0.05,
        "ratio",
        "uptake rarer than this in lesion-free places is real uptake",
        "own choice; the customary level of a single test",
        least=0.0001,
        most=0.5,
    )
    lesion_free_mm: float = threshold(
        10.0,
        "mm",
        "a place nearer than this to where a lesion or a focus may lie is not lesion-free",
        "own simulations: of voxels 2 to 4 mm away 44 % still stand out by 4.5 SD, beyond 12 none",
        least=0.0,
        most=50.0,
    )
    vessel_most_ratio: float = threshold(
        2.5,
        "ratio",
        "a focus alone near a vessel or the hilum is explained by it up to this many times liver, "
        "and so is uptake that was taken for a vessel's",
        "own choice: blood holds 0.2 to 0.3 of the liver's uptake and bile about as much as liver; "
        "what stands out there by more is no artefact to leave out unread",
        least=1.0,
        most=100.0,
    )
    misplaced_mm: float = threshold(
        20.0,
        "mm",
        "an unrelated focus of a missed lesion's size this near suggests misregistration",
        "own choice; breath-hold MRI and PET differ by about 23 mm before alignment",
        least=1.0,
        most=100.0,
    )
    alike_size: float = threshold(
        2.0,
        "ratio",
        "a focus up to this many times wider or narrower than a lesion may be the lesion",
        "own choice; the extent of a focus varies by half with its contrast",
        least=1.0,
        most=10.0,
    )
    confirmed_count: float = threshold(
        3.0,
        "lesions",
        "this many lesions that lie on their foci show that the registration holds",
        "own choice; in none of 490 pairs of lesions and foci of two patients did three",
        least=1.0,
        most=50.0,
    )
    stranger_mm: float = threshold(
        15.0,
        "mm",
        "equivalent diameter from which a lesion and several foci without each other tell that "
        "two scans may not show the same liver",
        "own choice; up to 1.2 cm size alone explains a miss (Grawe et al. 2023, Table 2)",
        least=1.0,
        most=100.0,
    )
    stranger_count: float = threshold(
        3.0,
        "foci",
        "this many such foci without a lesion, and no lesion that lies on its focus, are doubtful",
        "own choice; a lesion that one scan alone shows is common, several large ones are not",
        least=1.0,
        most=50.0,
    )


@dataclass(frozen=True, slots=True)
class LandmarkRules:
    """When matched lesions correct the registration around them."""

    least_count: float = threshold(
        3.0,
        "lesions",
        "fewer landmarks than this correct nothing",
        "own choice; the third shows whether two others agree",
        least=2.0,
        most=50.0,
    )
    longest_mm: float = threshold(
        40.0,
        "mm",
        "a lesion longer than this is no landmark",
        "own choice; large lesions take up unevenly, so their focus is not centred on them",
        least=5.0,
        most=200.0,
    )
    scatter_mm: float = threshold(
        1.2,
        "mm",
        "standard deviation along an axis of how well a focus is centred on its lesion",
        "own choice; a third of a voxel of the PET",
        least=0.1,
        most=10.0,
    )
    reach_mm: float = threshold(
        60.0,
        "mm",
        "registration errors this far apart are alike by 0.6 (a Gaussian's standard deviation)",
        "own choice; the liver deforms smoothly over half of its width",
        least=5.0,
        most=500.0,
    )
    agreement_mm: float = threshold(
        4.0,
        "mm",
        "landmarks that the others predict worse than this disagree",
        "own choice; about half the width of the blur of the PET",
        least=0.5,
        most=30.0,
    )
    size_apart_mm: float = threshold(
        5.0,
        "mm",
        "a matched focus whose diameter (of the sphere of its volume) differs from the lesion's by "
        "up to this is centred where the lesion lies, and its error is no less than that far off",
        "own choice; the blur of the PET, which small foci are widened by",
        least=0.0,
        most=50.0,
    )
    shift_mm: float = threshold(
        30.0,
        "mm",
        "a registration is searched for a shift of all lesions up to this",
        "own choice; breath-hold MRI and PET differ by about 23 mm before alignment",
        least=0.0,
        most=100.0,
    )
    shift_least_count: float = threshold(
        2.0,
        "lesions",
        "a shift of all lesions lays at least this many of them on foci",
        "simulated studies: lesions flipped about the middle of the liver, which no shift can lay "
        "right, are laid so by 3 of 240 flips, and by none with three lesions, which find 50 of 80 "
        "gross shifts and not 69",
        least=2.0,
        most=50.0,
    )
    shared_part: float = threshold(
        0.6,
        "ratio",
        "a shift of all lesions lays at least this share of the fewer, lesions or foci, together",
        "own choice; more than half, as small lesions have no focus",
        least=0.1,
        most=1.0,
    )


@dataclass(frozen=True, slots=True)
class CallRules:
    """What a study is called, and when it cannot be called."""

    lesion_covered: float = threshold(
        0.5,
        "ratio",
        "a lesion of which less than this is inside the PET is not covered",
        "own choice; half a lesion can still be found",
        least=0.05,
        most=1.0,
    )
    edge_of_coverage_mm: float = threshold(
        10.0,
        "mm",
        "a lesion this near the first or last slice of the PET is at its edge; on the MRI one on "
        "the outermost slice, row or column",
        "own choice; the outer slices of a scan are the noisiest",
        least=0.0,
        most=50.0,
    )
    lone_z: float = threshold(
        5.7,
        "SD",
        "a focus that is the PET's only one, and none of the lesions that count, makes it involved "
        "from this height on (z, as `foci.least_z`)",
        "own measurement: of 16 false foci in 570 livers of noise one was as high; in Gaussian "
        "noise a fiftieth of what reaches 4.9",
        least=0.0,
        most=100.0,
    )
    liver_covered: float = threshold(
        0.95,
        "ratio",
        "a scan that shows less of the liver than this, and nothing in it, is called uncertain",
        "own choice; a twentieth is what masks of one liver differ by",
        least=0.1,
        most=1.0,
    )
