"""Which series is the hepatobiliary phase."""

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from lesionmatch.dicom.series import hbp
from lesionmatch.errors import AmbiguousSeries, InconsistentSeries, NothingFound
from tests.reading_files import hbp_slice, mri, slices


def decoys() -> list[Dataset]:
    return (
        slices(
            hbp_slice, series="1.2.4.2", SeriesDescription="t1 vibe fs pre", AcquisitionTime="1040"
        )
        + slices(hbp_slice, series="1.2.4.3", SeriesDescription="t1 vibe fs arterial")
        + slices(hbp_slice, series="1.2.4.4", SeriesDescription="t1 vibe fs portal venous")
        + slices(hbp_slice, series="1.2.4.5", SeriesDescription="t2 haste", ScanningSequence="SE")
        + slices(hbp_slice, series="1.2.4.6", SeriesDescription="t1 in phase", EchoTime=4.6)
        + slices(hbp_slice, series="1.2.4.7", SeriesDescription="ep2d adc", ScanningSequence="EP")
        + slices(hbp_slice, series="1.2.4.8", SeriesDescription="t1 vibe hbp sub")
    )


def test_the_hepatobiliary_phase_is_found_among_its_decoys(tmp_path: Path) -> None:
    study = mri(tmp_path, decoys() + slices(hbp_slice, AcquisitionTime="112000"))
    assert study.hbp_series.uid == "1.2.4.1"
    assert "description says hepatobiliary phase (+4)" in study.hbp_series.evidence


@pytest.mark.parametrize(
    "said",
    [
        *("LAVA 20 min", "Leberspezifische Phase", "THRIVE_HBP_BH", "t1_vibe_fs_tra_late_20min"),
        *("vibe fs hépatobiliaire", "lava fase epatobiliare", "vibe fs tardif 20mn"),
        *("dyn eTHRIVE 20min", "Gadoxetin phase vibe hbp", "thrive hepatocyte phase"),
    ],
)
def test_it_is_found_by_what_other_sites_call_it(tmp_path: Path, said: str) -> None:
    own = slices(
        hbp_slice,
        SeriesDescription=said,
        AcquisitionTime="112000",
        ContrastBolusAgent="",
        SpecificCharacterSet="ISO_IR 192",
    )
    assert mri(tmp_path, decoys() + own).hbp_series.uid == "1.2.4.1"


def test_it_is_found_by_times_and_agent_without_any_description(tmp_path: Path) -> None:
    bolus: dict[str, Any] = {
        "ContrastBolusStartTime": "110000",
        "SeriesDescription": "",
        "ScanOptions": "FS",
    }
    datasets = (
        slices(hbp_slice, AcquisitionTime="112000", **bolus)
        + slices(hbp_slice, series="1.2.4.2", AcquisitionTime="110030", **bolus)
        + slices(hbp_slice, series="1.2.4.3", AcquisitionTime="110300", **bolus)
    )
    study = mri(tmp_path, datasets)
    assert study.hbp_series.uid == "1.2.4.1"
    assert "acquired 20 min after contrast (+3)" in study.hbp_series.evidence


def test_no_clear_winner_is_refused_with_the_candidates(tmp_path: Path) -> None:
    datasets = slices(hbp_slice) + slices(hbp_slice, series="1.2.4.9")
    with pytest.raises(AmbiguousSeries, match=r"1\.2\.4\.1: 9, 1\.2\.4\.9: 9.*give --mri-series"):
        mri(tmp_path, datasets)
    assert mri(tmp_path, [], mri_series="1.2.4.9").hbp_series.uid == "1.2.4.9"


def test_a_study_without_such_a_phase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NothingFound, match="wanted a series in the hepatobiliary phase, got none"):
        mri(tmp_path, decoys())


@pytest.mark.parametrize(
    "kinds",
    [
        ("DIXON\\WATER", "DIXON\\FAT", "DIXON\\IN_PHASE", "DIXON\\OPP_PHASE"),
        ("W\\W", "F\\F", "IP\\IP", "OP\\OP", "FF\\FF"),
        ("M\\DIS2D", "M\\ND"),
    ],
)
def test_of_the_images_of_one_late_acquisition_the_one_that_shows_the_liver_is_taken(
    tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    datasets = [
        hbp_slice(n, f"1.2.4.{k}", ImageType=["DERIVED", "PRIMARY", *kind.split("\\")])
        for k, kind in enumerate(kinds, 1)
        for n in range(4)
    ]
    assert mri(tmp_path, datasets).hbp_series.uid == "1.2.4.1"


@pytest.mark.parametrize(
    ("agent", "points"),
    [
        *(("KM", 0), ("contrast", 0), ("Gd 10 ml i.v.", 0), ("ja", 0), ("none", 0)),
        *(("Gadovist", -3), ("ProHance", -3), ("Dotarem 15ml", -3), ("Gd-DTPA", -3)),
        *(("Gd-EOB-DTPA", 2), ("Primovist 10", 2), ("MultiHance", 1)),
    ],
)
def test_an_agent_that_is_not_named_speaks_neither_for_nor_against(agent: str, points: int) -> None:
    own, bare = (hbp_slice(0, ContrastBolusAgent=name) for name in (agent, ""))
    assert hbp.total(hbp.score(own)) - hbp.total(hbp.score(bare)) == points


def test_another_contrast_agent_speaks_against_it(tmp_path: Path) -> None:
    own = slices(hbp_slice, ContrastBolusAgent="Gadobutrol", SeriesDescription="t1 vibe late")
    with pytest.raises(NothingFound, match="got none with 5 points"):
        mri(tmp_path, own)


def test_the_phase_is_not_replaced_by_another_when_it_is_broken(tmp_path: Path) -> None:
    own = slices(hbp_slice, 12, AcquisitionTime="112000")
    del own[4]
    with pytest.raises(InconsistentSeries, match="a slice is missing"):
        mri(tmp_path, decoys() + own)
