"""What names a patient stands nowhere in what a batch writes, draws or says.

Words that occur nowhere else are planted into copies of the fixture's headers and into the
names of folders. Then everything is searched for them: the console, every file with what is
packed inside it, every word that is handed to a font, and the pictures as they are read.
"""

import base64
import binascii
import gzip
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from PIL import Image, ImageFont
from pydicom.dataset import Dataset

from lesionmatch.cli import main
from lesionmatch.report import render_again

DEMO = Path(__file__).parent.parent / "fixtures" / "demo"

PLANTED = {
    "PatientName": "Xqzname^Xqzgiven",
    "PatientID": "XQZPID7731",
    "OtherPatientIDs": "XQZOTHER5",
    "PatientBirthName": "Xqzmaiden",
    "PatientAddress": "Xqzstreet 5",
    "PatientTelephoneNumbers": "XQZPHONE",
    "PatientComments": "Xqzcomment",
    "AccessionNumber": "XQZACC9942",
    "StudyID": "XQZSTUDYID",
    "StudyDescription": "Xqzstudydescription",
    "ReferringPhysicianName": "Xqzreferrer",
    "PerformingPhysicianName": "Xqzperformer",
    "OperatorsName": "Xqzoperator",
    "InstitutionName": "Xqzhospital",
    "InstitutionAddress": "Xqztown",
    "StationName": "XQZSTATION",
    "ImageComments": "Xqzimagecomment",
    "ContentCreatorName": "Xqzcreator",
}
BIRTH_DATE = "19311103"
ADDED = " Xqzseries"
"""Added to the descriptions by which series are told apart."""

FOLDER = "Xqzfolder, Xqzgiven 1931-11-03"
WORDS = (
    *(word.lower() for value in PLANTED.values() for word in re.split(r"[\^ ]", value) if word),
    *("xqzseries", "xqzfolder", "1931-11-03", BIRTH_DATE),
)
WORDS = tuple(word for word in WORDS if len(word) > 5)


def found_in(content: bytes) -> list[str]:
    return [word for word in WORDS if word.encode() in content.lower()]


def plant(folder: Path) -> None:
    for path in list(filter(Path.is_file, folder.rglob("*"))):
        try:
            header = pydicom.dcmread(path)
        except pydicom.errors.InvalidDicomError:
            continue
        for keyword, value in PLANTED.items():
            setattr(header, keyword, value)
        header.PatientBirthDate = BIRTH_DATE
        for keyword in ("SeriesDescription", "ProtocolName"):
            if keyword in header:
                setattr(header, keyword, header[keyword].value + ADDED)
        header.RequestAttributesSequence = [Dataset()]
        header.RequestAttributesSequence[0].AccessionNumber = PLANTED["AccessionNumber"]
        header.save_as(path.with_name(f"Xqzfolder {path.name}"))
        path.unlink()


@dataclass(frozen=True)
class Cohort:
    """A batch of a study that can be compared and of some that cannot, and all that was said."""

    place: Path
    out: Path
    said: str


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    place = tmp_path_factory.mktemp("privacy")
    study = place / FOLDER
    shutil.copytree(DEMO, study / "good")
    plant(study / "good")
    (study / "empty").mkdir()
    (study / "Xqzfolder.dcm").write_bytes(b"no image of Xqzname")
    (study / "Xqzfolder.zip").write_bytes(b"PK\3\4 no archive of Xqzname")
    shutil.copytree(study / "good" / "pet", study / "broken")
    for path in sorted((study / "broken").iterdir())[::9]:
        path.write_bytes(path.read_bytes()[:-2000])
    rows = [
        ("S1", "good/pet", "good/mri"),
        ("S2", "empty", "good/mri"),
        ("S3", "good/pet", "empty"),
        ("S4", "good/mri", "good/pet"),
        ("S5", "Xqzfolder.dcm", "good/mri"),
        ("S6", "good/pet", "Xqzfolder.zip"),
        ("S7", "broken", "good/mri"),
    ]
    lines = [f'{name},P-{name},"{study / pet}","{study / mri}"' for name, pet, mri in rows]
    table = place / "STUDIES.csv"
    table.write_text("\n".join(["study_id,patient_id,pet,mri", *lines]))
    argv = ["batch", str(table), "-o", str(place / "out"), "-v"]
    ran = subprocess.run(
        [sys.executable, "-m", "lesionmatch", *argv], capture_output=True, check=False
    )
    assert ran.returncode == 3, ran.stderr.decode()
    return Cohort(place, place / "out", (ran.stdout + ran.stderr).decode())


def test_the_console_does_not_name_the_patient(cohort: Cohort) -> None:
    assert "6 failed" in cohort.said
    assert found_in(cohort.said.encode()) == []


def test_inspect_names_the_patient_only_when_asked(
    cohort: Cohort, capfd: pytest.CaptureFixture[str]
) -> None:
    argv = ["inspect", str(cohort.place / FOLDER / "good" / "mri")]
    assert main(argv) == 0
    assert found_in("".join(capfd.readouterr()).encode()) == []
    assert main([*argv, "--phi"]) == 0
    assert "xqzseries" in found_in("".join(capfd.readouterr()).encode())


BASE64 = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")


def unpacked(content: bytes) -> Iterator[bytes]:
    """The bytes themselves and what is packed in them: gzip, base64, and zlib in that."""
    yield content
    if content.startswith(b"\x1f\x8b"):
        yield gzip.decompress(content)
    for match in BASE64.findall(content):
        try:
            inner = base64.b64decode(match)
            yield inner
            yield zlib.decompress(inner)
        except (binascii.Error, zlib.error):
            continue


def test_no_file_names_the_patient(cohort: Cohort) -> None:
    written = [path for path in cohort.out.rglob("*") if path.is_file()]
    wanted = {"S1.log", "S5.log", "failures.csv", "index.html", "report.html", "mri_from_pet.h5"}
    assert wanted <= {path.name for path in written}
    leaks = {
        path.name: words
        for path in written
        for part in unpacked(path.read_bytes())
        if (words := found_in(part + path.name.encode()))
    }
    assert leaks == {}


def test_unpacking_finds_what_is_packed() -> None:
    hidden = b"of Xqzname" * 9
    page = b'<img src="data:x;base64,' + base64.b64encode(zlib.compress(hidden, 0)) + b'">'
    for packed in (gzip.compress(hidden), page, base64.b64encode(hidden)):
        assert any(found_in(part) for part in unpacked(packed))


def test_pictures_hold_nothing_but_pixels(cohort: Cohort) -> None:
    pictures = sorted(cohort.out.rglob("*.png"))
    assert len(pictures) >= 7
    for path in pictures:
        content, chunks, start = path.read_bytes(), [], 8
        while start < len(content):
            length = int.from_bytes(content[start : start + 4], "big")
            chunks.append(content[start + 4 : start + 8])
            start += length + 12
        assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}
    for path in cohort.out.rglob("*.webp"):
        with Image.open(path) as picture:
            assert not {"exif", "xmp"} & set(picture.info)


def test_no_word_that_is_drawn_names_the_patient(
    cohort: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    drawing = ImageFont.FreeTypeFont.getmask2

    def recorded(font: ImageFont.FreeTypeFont, text: str, *args: object, **named: object) -> object:
        drawn.append(text)
        return drawing(font, text, *args, **named)  # type: ignore[arg-type]

    # Whatever draws letters in a picture asks a font for their shapes here.
    monkeypatch.setattr(ImageFont.FreeTypeFont, "getmask2", recorded)
    render_again(cohort.out)
    assert {"lesion", "HBP axial", "PET coronal"} <= set(drawn)
    assert found_in("\n".join(drawn).encode()) == []


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_the_pictures_read_by_eye_do_not_name_the_patient(cohort: Cohort, tmp_path: Path) -> None:
    read = ""
    for path in sorted(cohort.out.rglob("L1.png")):
        with Image.open(path) as picture:
            large = picture.convert("L")
        large.resize((2 * large.width, 2 * large.height)).save(tmp_path / "large.png")
        argv = ["tesseract", str(tmp_path / "large.png"), "-", "--psm", "11"]
        read += subprocess.run(argv, capture_output=True, check=True).stdout.decode()
    assert "HBP" in read
    assert "xqz" not in read.lower()
    assert BIRTH_DATE not in read
