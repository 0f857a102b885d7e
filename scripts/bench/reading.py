"""Times the reading: headers against pydicom's own, a CT against the raw read of its bytes.

    python scripts/bench reading [ROUNDS]

Writes 2,000 headers and a CT of 160 slices of 512 x 512 to a temporary folder, then gives
the best of several rounds of each. SimpleITK's series reader is timed on the same CT.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom import dcmread

from lesionmatch import dicom
from lesionmatch.dicom.pet import read_hounsfield
from tests.reading_files import CT, instance, saved


def best_s(work: Callable[[], object], rounds: int) -> float:
    """The shortest of several runs."""
    found = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def write_ct(folder: Path, count: int, size: int) -> list[Path]:
    """A CT of `count` slices of `size` squared."""
    noise = np.random.default_rng(1).integers(0, 2000, (size, size), dtype=np.uint16).tobytes()
    datasets = []
    for n in range(count):
        ds = instance(CT, "1.2.3.7", n, Rows=size, Columns=size, PixelSpacing=[0.8, 0.8])
        ds.RescaleIntercept = -1024
        ds.PixelData = noise
        datasets.append(ds)
    saved(folder, datasets)
    return sorted(folder.iterdir())


def main() -> None:
    """Print the two ratios and what they are made of."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as temporary:
        many, ct = Path(temporary, "many"), Path(temporary, "ct")
        paths = write_ct(many, 2000, 32)
        theirs = best_s(lambda: [dcmread(p, stop_before_pixels=True) for p in paths], rounds)
        ours = best_s(lambda: dicom.scan([many]), rounds)
        print(
            f"2,000 headers: pydicom {theirs:.2f} s, scan {ours:.2f} s, ratio {ours / theirs:.2f}"
        )
        paths = write_ct(ct, 160, 512)
        raw = best_s(lambda: [p.read_bytes() for p in paths], rounds)
        whole = best_s(
            lambda: read_hounsfield(dicom.scan([ct]).series[0], dicom.ReadOptions()), rounds
        )
        record = dicom.scan([ct]).series[0]
        pixels = best_s(lambda: read_hounsfield(record, dicom.ReadOptions()), rounds)
        names = [str(p) for p in paths]
        peer = best_s(lambda: sitk.ReadImage(names), rounds)
        print(
            f"160-slice CT: raw bytes {raw:.3f} s, headers and pixels {whole:.3f} s (ratio "
            f"{whole / raw:.1f}), pixels alone {pixels:.3f} s (ratio {pixels / raw:.1f}), "
            f"SimpleITK {peer:.3f} s"
        )


if __name__ == "__main__":
    main()
