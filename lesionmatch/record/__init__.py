"""What stands on disk after a comparison: comparison.json, run.json, images, transform.

Everything else in the output folder (tables, pictures, pages) is made from these again.
"""

import platform
import resource
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

import lesionmatch
from lesionmatch import nifti
from lesionmatch.compare import Comparison
from lesionmatch.image import Image, LabelMap, Mask
from lesionmatch.output import write_json
from lesionmatch.record.images import images_of, step_of
from lesionmatch.record.summary import SCHEMA, summary
from lesionmatch.resample import write_transform

LIBRARIES = ("numpy", "scipy", "scikit-image", "SimpleITK", "pydicom", "highdicom", "nibabel")


def write(comparison: Comparison, out: Path) -> None:
    """Write comparison.json, ``images/`` and ``transforms/`` to the folder `out`."""
    for folder in ("images/detail", "transforms"):
        (out / folder).mkdir(parents=True)
    write_transform(comparison.registration.mri_from_pet, out / "transforms" / "mri_from_pet.h5")
    images = dict(images_of(comparison))
    # Compression releases the interpreter, so two files are packed at a time.
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: _write_image(name, images[name], out / "images"), images))
    write_json(out / "comparison.json", summary(comparison))


def _write_image(name: str, image: Image | Mask | LabelMap, folder: Path) -> None:
    nifti.write(image, folder / name, step=step_of(name, image))


def write_run(comparison: Comparison, out: Path, seconds: Mapping[str, float]) -> None:
    """Write run.json: what ran on what, and what it took."""
    record = {
        "schema": SCHEMA,
        "versions": {
            "lesionmatch": lesionmatch.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "options": comparison.options.to_json(),
        "overrides": [asdict(override) for override in comparison.pet.suv_facts.overrides],
        "inputs": {"pet": comparison.pet.inputs, "mri": comparison.mri.inputs},
        "series": [
            series.to_json(phi=comparison.options.phi)
            for series in (*comparison.pet.series, *comparison.mri.series)
        ],
        "assumptions": list(comparison.assumptions),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "peak_memory_mb": round(_peak_memory_mb(), 1),
    }
    write_json(out / "run.json", record)


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
