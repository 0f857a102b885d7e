"""DICOM as a PACS exports it: the only importer of pydicom and highdicom.

`scan` says what is in some folders and `inspect` what would be made of it; `read_pet_study`,
`read_suv_map` and `read_mri_study` yield values that cannot be wrong: grids that were checked,
SUV with its provenance, segments in place.
"""

from pydicom import config

from lesionmatch.dicom.files.sources import files_below
from lesionmatch.dicom.inspection import Inspection, inspect
from lesionmatch.dicom.mri import read_mri_study
from lesionmatch.dicom.options import ReadOptions
from lesionmatch.dicom.pet import read_pet_study
from lesionmatch.dicom.series.inventory import scan
from lesionmatch.dicom.series.records import Inventory, SeriesRecord
from lesionmatch.dicom.study import MriStudy, PetStudy, Reconstruction
from lesionmatch.dicom.suv.facts import SuvFacts
from lesionmatch.dicom.suv_study import SuvMap, read_suv_map

# Values that break the standard are refused where they matter, by a sentence of our own.
config.settings.reading_validation_mode = config.IGNORE

__all__ = [
    "Inspection",
    "Inventory",
    "MriStudy",
    "PetStudy",
    "ReadOptions",
    "Reconstruction",
    "SeriesRecord",
    "SuvFacts",
    "SuvMap",
    "files_below",
    "inspect",
    "read_mri_study",
    "read_pet_study",
    "read_suv_map",
    "scan",
]
