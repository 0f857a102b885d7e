"""Files that claim or inflate to far more than they are: how each ends, and the peak memory.

    python scripts/bench bombs

Each is read in a process of its own. The peak is that of the process above what it has after
its imports; the caps are those of the protocol's [input].
"""

import argparse
import gzip
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEGLSLossless, RLELossless

from lesionmatch import dicom
from lesionmatch.errors import LesionMatchError
from tests.reading_files import pet_slice, saved, slices
from tests.small_studies import small_study

PATIENT_NAME = b"\x10\x00\x10\x00PN"


def deflated(folder: Path) -> None:
    """Two gigabytes of zeros behind the header of a slice, deflated to 2 MB."""
    path = saved(folder, [pet_slice(0)]) / "0000.dcm"
    ds = pydicom.dcmread(path)
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    ds.save_as(path)
    data = path.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = zlib.decompress(data[start:], -zlib.MAX_WBITS)
    parts = [packer.compress(body)] + [packer.compress(bytes(1_000_000)) for _ in range(2000)]
    path.write_bytes(data[:start] + b"".join(parts) + packer.flush())


def header(folder: Path) -> None:
    """A header of 300 MB of empty private elements."""
    path = saved(folder, [pet_slice(0)]) / "0000.dcm"
    data = path.read_bytes()
    at = data.index(PATIENT_NAME)
    elements = b"".join(b"\x09\x00" + n.to_bytes(2, "little") + b"LO\0\0" for n in range(65536))
    path.write_bytes(data[:at] + elements * 570 + data[at:])


def items(folder: Path) -> None:
    """A sequence of forty million empty items."""
    path = saved(folder, [pet_slice(0)]) / "0000.dcm"
    data = path.read_bytes()
    at = data.index(PATIENT_NAME)
    item = b"\xfe\xff\x00\xe0\0\0\0\0"
    sequence = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff" + item * 40_000_000
    path.write_bytes(data[:at] + sequence + data[at:])


def run_lengths(folder: Path) -> None:
    """Run lengths of 200 MB that stand for 13 GB."""
    datasets = slices(pet_slice)
    for ds in datasets:
        ds.compress(RLELossless)
        head = bytes(ds.PixelData)[8:72]
        ds.PixelData = pydicom.encaps.encapsulate([head + b"\x81\x00" * 17_000_000])
    saved(folder, datasets)


def codestream(folder: Path) -> None:
    """A JPEG-LS frame of 30,000 x 30,000 pixels under a header of 12 x 10."""
    datasets = slices(pet_slice)
    for ds in datasets:
        ds.compress(JPEGLSLossless)
        data = bytearray(ds.PixelData)
        at = data.index(b"\xff\xf7")
        data[at + 5 : at + 9] = (30_000).to_bytes(2, "big") * 2
        ds.PixelData = bytes(data)
    saved(folder, datasets)


def claims(folder: Path) -> None:
    """Slices of 240 bytes that claim 20,000 x 20,000 pixels."""
    saved(folder, slices(pet_slice, Rows=20_000, Columns=20_000))


def seg(folder: Path) -> None:
    """A SEG of nine frames that claims 65,535 x 65,535 pixels a frame."""
    _, mri = small_study(folder, "SEG")
    ds = pydicom.dcmread(mri / "drawn.dcm")
    ds.Rows = ds.Columns = 65535
    ds.save_as(mri / "drawn.dcm")


def label_file(folder: Path) -> None:
    """A NIfTI of 8 voxels that inflates to 1 GB."""
    _, mri = small_study(folder)
    whole = gzip.decompress((mri / "lesions.nii.gz").read_bytes())
    with gzip.open(mri / "lesions.nii.gz", "wb", 6) as file:
        file.write(whole)
        for _ in range(100):
            file.write(bytes(10_000_000))


def archive(folder: Path) -> None:
    """A zip with a member of zeros that inflates a thousandfold."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "a.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        packed.writestr("0.dcm", np.zeros(50_000_000, np.uint8).tobytes())


BOMBS: dict[str, Callable[[Path], None]] = {
    made.__name__: made
    for made in (
        deflated, header, items, run_lengths, codestream, claims, seg, label_file, archive,
    )
}  # fmt: skip


def peak_mb() -> float:
    """The most memory this process has had since it was started."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 1000.0


def read(folder: Path) -> None:
    """Read one of them and print the peak above that of the imports, the time and the end."""
    before, start = peak_mb(), time.perf_counter()
    is_study = (folder / "mri").is_dir()
    try:
        pet = dicom.read_pet_study([folder / "pet" if is_study else folder])
        if is_study:
            dicom.read_mri_study([folder / "mri"], pet=pet)
        ended = "READ"
    except LesionMatchError as error:
        ended = str(error).replace(str(folder), "FOLDER")
    print(f"{peak_mb() - before:8.0f} {time.perf_counter() - start:7.1f}  {ended[:150]}")


def main() -> None:
    """Make each, read it in a process of its own, and print a line; or read the one folder."""
    wanted = argparse.ArgumentParser(prog="bench bombs", description=__doc__)
    wanted.add_argument("folder", type=Path, nargs="?", help="read this one here")
    if folder := wanted.parse_args().folder:
        read(folder)
        return
    print(f"{'':12} {'MB':>8} {'s':>7}  end")
    for name, make in BOMBS.items():
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "study"
            make(folder)
            command = [sys.executable, str(Path(__file__).with_name("__main__.py")), "bombs"]
            found = subprocess.run(
                [*command, str(folder)], capture_output=True, text=True, check=False
            )
            print(f"{name:12} {found.stdout.rstrip() or found.stderr[-200:]}", flush=True)


if __name__ == "__main__":
    main()
