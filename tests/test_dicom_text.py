"""Text beyond ASCII, in whatever character set a file has it."""

import unicodedata
from pathlib import Path

import pytest

from lesionmatch import dicom
from lesionmatch.dicom.files.instance import Instance
from lesionmatch.dicom.files.values import text
from lesionmatch.segments import Kind, meaning_of
from tests.drawn_files import plane, seg
from tests.reading_files import hbp_slice, header_of, one, saved, slices


@pytest.mark.parametrize(
    ("character_set", "said"),
    [
        ("ISO_IR 100", "spät nach Gefäßen"),
        ("ISO_IR 192", "spät nach Gefäßen"),
        ("ISO_IR 101", "późna faza"),
        ("ISO_IR 144", "поздняя фаза"),
        (["", "ISO 2022 IR 87"], "肝細胞相"),
        ("GB18030", "肝胆期"),
    ],
)
def test_text_is_read_in_the_character_set_of_its_file(
    tmp_path: Path, character_set: str | list[str], said: str
) -> None:
    path = one(tmp_path, hbp_slice(0, SpecificCharacterSet=character_set, SeriesDescription=said))
    assert _description(path) == said


@pytest.mark.parametrize("written", ["ISO_IR 100", "ISO_IR 192"])
def test_text_of_an_unnamed_character_set_is_utf_8_where_it_can_be(
    tmp_path: Path, written: str
) -> None:
    ds = hbp_slice(0, SpecificCharacterSet=written, SeriesDescription="spät")
    path = one(tmp_path, ds)
    path.write_bytes(path.read_bytes().replace(written.encode(), b" " * len(written)))
    assert _description(path) == "spät"


def _description(path: Path) -> str:
    found = header_of(path)
    assert isinstance(found, Instance)
    return text(found.dataset, "SeriesDescription")


def test_a_benign_lesion_named_in_utf_8_does_not_count_as_a_metastasis(tmp_path: Path) -> None:
    drawn = seg([(1, 2, plane((5, 6)))])
    drawn.SpecificCharacterSet = "ISO_IR 192"
    drawn.SegmentSequence[0].SegmentLabel = "Hämangiom"
    folder = saved(saved(tmp_path, slices(hbp_slice)), [drawn])
    (found,) = dicom.read_mri_study([folder]).segments
    assert (found.label, found.meaning) == ("Hämangiom", Kind.HAEMANGIOMA)


def test_an_umlaut_of_two_characters_is_one_letter() -> None:
    label = unicodedata.normalize("NFD", "Hämangiom")
    assert len(label) == len("Hämangiom") + 1
    assert meaning_of(label) is Kind.HAEMANGIOMA
