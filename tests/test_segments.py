"""What readers' labels and codes mean."""

import pytest

from lesionmatch.segments import Code, Kind, Structure, meaning_of


@pytest.mark.parametrize(
    ("label", "meaning"),
    [
        ("Met 3", Kind.METASTASIS),
        ("Lebermetastase Seg. VII", Kind.METASTASIS),
        ("Hämangiom", Kind.HAEMANGIOMA),
        ("Haemangioma 2", Kind.HAEMANGIOMA),
        ("hemangioma", Kind.HAEMANGIOMA),
        ("Zyste", Kind.CYST),
        ("liver cyst", Kind.CYST),
        ("FNH", Kind.OTHER_BENIGN),
        ("Leberherd 1", Kind.UNSPECIFIED),
        ("Lesion_4", Kind.UNSPECIFIED),
        ("7", Kind.UNSPECIFIED),
        ("Leber", Structure.LIVER),
        ("liver", Structure.LIVER),
        ("liver without lesions", Structure.LIVER),
        ("Milz", Structure.SPLEEN),
        ("kidney_left", Structure.KIDNEY),
        ("kidney_cyst_left", Structure.OTHER),
        ("Nierenzyste", Structure.OTHER),
        ("portal_vein_and_splenic_vein", Structure.PORTAL_VEIN),
        ("Lebervenen", Structure.HEPATIC_VEIN),
        ("Pfortader", Structure.PORTAL_VEIN),
        ("inferior_vena_cava", Structure.INFERIOR_VENA_CAVA),
        ("Gallenblase", Structure.GALLBLADDER),
        ("small_bowel", Structure.BOWEL),
        ("urinary_bladder", Structure.OTHER),
        ("vertebrae_L1", Structure.OTHER),
        ("liver reference VOI", Structure.OTHER),
    ],
)
def test_labels_mean_what_readers_mean(label: str, meaning: Kind | Structure) -> None:
    assert meaning_of(label) is meaning


@pytest.mark.parametrize(
    ("value", "label", "meaning"),
    [
        ("128462008", "a", Kind.METASTASIS),
        ("400210000", "Met 1", Kind.HAEMANGIOMA),
        ("4147007", "cyst", Kind.CYST),
        ("52988006", "a", Kind.UNSPECIFIED),
        ("10200004", "Liver", Structure.LIVER),
        ("10200004", "met in segment 4", Kind.METASTASIS),
        ("10200004", "reference", Structure.OTHER),
        ("78961009", "a", Structure.SPLEEN),
    ],
)
def test_codes_go_before_labels(value: str, label: str, meaning: Kind | Structure) -> None:
    assert meaning_of(label, [Code("SCT", value)]) is meaning
