"""Times the reading: headers against pydicom's own, a CT against the raw read of its bytes.

    python scripts/bench reading [ROUNDS]

Writes 2,000 headers as long as a clinical CT's and a CT of 160 slices of 512 x 512 to a
temporary folder. In each round every reader takes its turn; given are the medians of the
rounds and of their ratios, in processor time, which another program's load changes little.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import numpy as np
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.dataset import Dataset

from lesionmatch import dicom
from lesionmatch.dicom.ct import read_hounsfield
from tests.reading_files import CT, instance, saved

Readers = Mapping[str, Callable[[], object]]
PRIVATE = 40
CT_SIZE = 512
CLINICAL = {
    "SpecificCharacterSet": "ISO_IR 100", "Manufacturer": "SIEMENS", "StudyDescription": "Abdomen",
    "InstitutionName": "Hospital", "SeriesDescription": "CT venous 3.0 B30f", "StudyID": "1",
    "ManufacturerModelName": "Biograph64_mCT", "PatientAge": "070Y", "PatientWeight": 70,
    "KVP": 120, "DataCollectionDiameter": 500, "DeviceSerialNumber": "1", "SoftwareVersions": "1",
    "ProtocolName": "PET CT", "ReconstructionDiameter": 500, "GantryDetectorTilt": 0,
    "TableHeight": 150, "RotationDirection": "CW", "ExposureTime": 500, "XRayTubeCurrent": 100,
    "Exposure": 90, "FilterType": "0", "GeneratorPower": 20, "FocalSpots": 1.2,
    "ConvolutionKernel": "B30f", "PatientPosition": "HFS", "AcquisitionNumber": 2,
    "PositionReferenceIndicator": "", "WindowCenter": 40, "WindowWidth": 400, "RescaleType": "HU",
    "ContentDate": "20250102", "ContentTime": "110000", "StudyDate": "20250102",
    "StudyTime": "100000", "AccessionNumber": "1", "ReferringPhysicianName": "",
}  # fmt: skip


def clinical(ds: Dataset) -> Dataset:
    """A header as long as scanners write it: some 110 elements, private ones and sequences."""
    for keyword, value in CLINICAL.items():
        setattr(ds, keyword, value)
    block = ds.private_block(0x0019, "SIEMENS CT VA0  COAD", create=True)
    for offset in range(PRIVATE):
        block.add_new(offset, "DS", str(offset))
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, "1.2.3.4"
    ds.ReferencedStudySequence, ds.ReferencedImageSequence = [item], [item, item]
    return ds


def write_ct(folder: Path, count: int, size: int) -> list[Path]:
    """A CT of `count` slices of `size` squared."""
    noise = np.random.default_rng(1).integers(0, 2000, (size, size), dtype=np.uint16).tobytes()
    datasets = []
    for n in range(count):
        ds = instance(CT, "1.2.3.7", n, Rows=size, Columns=size, PixelSpacing=[0.8, 0.8])
        ds.PixelData, ds.RescaleIntercept = noise, -1024
        datasets.append(clinical(ds))
    saved(folder, datasets)
    return sorted(folder.iterdir())


def raw_floats(slices: list[Path]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The floor: the last bytes of each file as numbers, without order, place or scale."""
    volume = np.empty((len(slices), CT_SIZE, CT_SIZE), np.float32)
    for plane, path in zip(volume, slices, strict=True):
        stored = np.frombuffer(path.read_bytes()[-2 * CT_SIZE * CT_SIZE :], "<u2")
        plane[...] = stored.reshape(CT_SIZE, CT_SIZE)
    return volume


def seconds(readers: Readers, rounds: int) -> dict[str, list[float]]:
    """Of each reader in each round, after one that is not counted."""
    found: dict[str, list[float]] = {name: [] for name in readers}
    for number in range(rounds + 1):
        for name, read in readers.items():
            start = time.process_time()
            kept = read()
            taken = time.process_time() - start
            del kept
            if number:
                found[name].append(taken)
    return found


def told(title: str, found: Mapping[str, list[float]], against: str) -> None:
    """Print each reader's median and its ratio to one of them, round by round."""
    print(title)
    for name, times in found.items():
        ratios = [one / other for one, other in zip(times, found[against], strict=True)]
        print(
            f"  {name:28} {median(times):6.3f} s   {median(ratios):5.2f} x {against} "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


def main() -> None:
    """Print both tables."""
    wanted = argparse.ArgumentParser(prog="bench reading", description=__doc__)
    wanted.add_argument("rounds", type=int, nargs="?", default=7)
    rounds = wanted.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary:
        many, ct = Path(temporary, "many"), Path(temporary, "ct")
        paths = write_ct(many, 2000, 32)
        readers: Readers = {
            "pydicom": lambda: [dcmread(path, stop_before_pixels=True) for path in paths],
            "scan": lambda: dicom.scan([many]),
        }
        told("2,000 headers", seconds(readers, rounds), "pydicom")
        slices = write_ct(ct, 160, CT_SIZE)
        record = dicom.scan([ct]).series[0]
        options = dicom.ReadOptions()
        readers = {
            "raw bytes": lambda: [path.read_bytes() for path in slices],
            "raw bytes, cast to float": lambda: raw_floats(slices),
            "headers by pydicom": lambda: [dcmread(p, stop_before_pixels=True) for p in slices],
            "headers, pixels to HU": lambda: read_hounsfield(dicom.scan([ct]).series[0], options),
            "pixels to HU alone": lambda: read_hounsfield(record, options),
            "SimpleITK, sorted beforehand": lambda: sitk.ReadImage([str(path) for path in slices]),
        }
        told("160 CT slices of 512 x 512", seconds(readers, rounds), "raw bytes")


if __name__ == "__main__":
    main()
