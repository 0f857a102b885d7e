"""Thresholds of the agreement of what lies within the liver."""

from dataclasses import dataclass

from lesionmatch.protocol.threshold import threshold


@dataclass(frozen=True)
class PatternRules:
    """When the liver's own pattern says that two scans are one patient's."""

    least_pattern_errors: float = threshold(
        6.5,
        "SD",
        "vessels and lesions within the liver agree under the map, in standard deviations of "
        "shifted maps; less is doubtful (CT)",
        "simulated studies and three other simulators: 40 of 41 wrong pairs reach 3.1, a mirrored "
        "one 5.2, of 34 others one 5.4; of 47 right ones one has 7.7, the others 9.7 and more (by "
        "shifts not of whole voxels; with these right ones are a fifth higher)",
        least=0.0,
        most=100.0,
    )
    least_half_errors: float = threshold(
        1.0,
        "SD",
        "the same in the half of the liver where it is least; less is doubtful (CT)",
        "own choice; of 81 wrong pairs one reaches 6.5 in the whole and has -0.4 in that half, of "
        "47 right ones the least has 2.9",
        least=-100.0,
        most=100.0,
    )
    sure_half_errors: float = threshold(
        5.0,
        "SD",
        "the same in every half of the liver, from which the deformation may go further",
        "simulated studies, other seeds than reported: a wrong pair that went further has 3.0, "
        "right ones that do have 7.6 and more",
        least=0.0,
        most=100.0,
    )
    pattern_depth_mm: float = threshold(
        8.0,
        "mm",
        "what lies so deep in the liver counts for that agreement",
        "own choice; the capsule no longer blurs into a voxel of 3 mm there",
        least=0.0,
        most=50.0,
    )
    pattern_averaged_mm: float = threshold(
        6.0,
        "mm",
        "full width at half maximum of what of the CT is averaged for it",
        "4, 5 and 6 tell pairs apart alike; noise asks for more, thin vessels for less",
        least=0.0,
        most=50.0,
    )
    pattern_level_mm: float = threshold(
        21.0,
        "mm",
        "width of the cube whose mean is the level that is taken off",
        "own choice; wider than a large vessel, narrower than a segment",
        least=3.0,
        most=200.0,
    )
    pattern_held_sd: float = threshold(
        6.0,
        "SD",
        "what is left of the MRI is held within this of its median, or single lesions would decide",
        "own choice; vessels are within it",
        least=1.0,
        most=100.0,
    )
    pattern_held_target_sd: float = threshold(
        4.0,
        "SD",
        "and what is left of the CT, most of which is noise, within this",
        "own choice",
        least=1.0,
        most=100.0,
    )
    pattern_window_hu: float = threshold(
        100.0,
        "HU",
        "the CT is held so near to the liver's median",
        "own choice; vessels and lesions lie within, calcium and fat beyond",
        least=1.0,
        most=1000.0,
    )
    pattern_shift_mm: float = threshold(
        14.0,
        "mm",
        "how far the shifted maps lie off",
        "own choice; more than a large vessel's width, so that none still meets itself",
        least=1.0,
        most=100.0,
    )
    pattern_far_shift_mm: float = threshold(
        20.0,
        "mm",
        "and as many others",
        "own choice; so far off chance is another",
        least=1.0,
        most=100.0,
    )
    fat_reach_mm: float = threshold(
        5.0,
        "mm",
        "so near to fat in the porta or a fissure nothing counts for that agreement",
        "own choice; every liver has such pockets, and laid one on the other they agree better "
        "than any vessels",
        least=0.0,
        most=30.0,
    )
    fat_mri_share: float = threshold(
        0.3,
        "ratio",
        "fat has less than this share of the liver's signal on the MRI",
        "own choice; vessels have more",
        least=0.0,
        most=1.0,
    )
    fat_hu: float = threshold(
        10.0,
        "HU",
        "fat, averaged with what is about it, has less than this on a CT",
        "own choice; cysts hardly do",
        least=-200.0,
        most=100.0,
    )
    fat_below_hu: float = threshold(
        40.0,
        "HU",
        "and less than the liver by this",
        "own choice; a fatty liver has 20 to 40 HU itself",
        least=0.0,
        most=200.0,
    )
