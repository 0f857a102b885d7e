"""Ways to damage a study, and what each may honestly lead to.

Damage is done to files, not to what was read. `told_apart` says, from the files alone and without
the reader, whether what came out is a study that somebody could have meant: pixels that are
other numbers, or an attribute that is each slice's or each segment's own and stays in its range.
"""

import io
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

Files = Mapping[Path, bytes | None]
"""New content of files by path; None where the file is taken away."""


@dataclass(frozen=True)
class Damage:
    """What was done to a study."""

    kind: str
    files: Files
    what: str
    """In words, with the attribute if there is one."""
    is_valid: bool = False
    """Whether it makes another study that somebody could have meant."""


def _cut(data: bytes, rng: np.random.Generator) -> bytes:
    return data[: int(rng.integers(0, len(data)))]


def _place(data: bytes, rng: np.random.Generator) -> int:
    """Mostly in the header, as there is most to break."""
    end = max(data.rfind(b"\xe0\x7f\x10\x00"), 1) if rng.random() < 0.75 else len(data)
    return int(rng.integers(0, end))


def _one_byte(data: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return data[:at] + bytes([rng.integers(0, 256)]) + data[at + 1 :]


def _one_bit(data: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return data[:at] + bytes([data[at] ^ (1 << int(rng.integers(0, 8)))]) + data[at + 1 :]


def _overwritten(data: bytes, rng: np.random.Generator) -> bytes:
    at, length = _place(data, rng), int(rng.integers(2, 64))
    noise = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
    return (data[:at] + noise + data[at + length :])[: len(data)]


def _doubled(data: bytes, rng: np.random.Generator) -> bytes:
    at, length = _place(data, rng), int(rng.integers(1, 17))
    return data[: at + length] + data[at:]


def _left_out(data: bytes, rng: np.random.Generator) -> bytes:
    at, length = _place(data, rng), int(rng.integers(1, 17))
    return data[:at] + data[at + length :]


def _length(data: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng)
    return (data[:at] + b"\xff" * int(rng.integers(2, 5)) + data[at + 4 :])[: len(data)]


def _zeros(data: bytes, rng: np.random.Generator) -> bytes:
    at = _place(data, rng) // 512 * 512
    return (data[:at] + bytes(512) + data[at + 512 :])[: len(data)]


def _appended(data: bytes, rng: np.random.Generator) -> bytes:
    return data + rng.integers(0, 256, int(rng.integers(1, 200)), dtype=np.uint8).tobytes()


BYTES: Mapping[str, Callable[[bytes, np.random.Generator], bytes]] = {
    "cut short": _cut,
    "one byte": _one_byte,
    "one bit": _one_bit,
    "bytes overwritten": _overwritten,
    "bytes doubled": _doubled,
    "bytes left out": _left_out,
    "length of ff": _length,
    "512 zeros": _zeros,
    "bytes appended": _appended,
}

WORTHLESS = ("", "nan", "inf", "1e999", "1,5", "-1", "0", "99999999999", "?", "\\", "x" * 300, None)
"""Values no attribute of number or date can have; None takes the attribute out."""

VALID = {
    "PatientWeight": "71",
    "RadionuclideTotalDose": "150000000",
    "RadionuclideHalfLife": "4070",
    "RadiopharmaceuticalStartDateTime": "20250102101000",
    "FrameReferenceTime": "61000",
    "ActualFrameDuration": "130000",
    "PixelSpacing": ["2.1", "2.1"],
    "RescaleSlope": "1.7",
    "RescaleIntercept": "-1024",
    "SeriesTime": "110001",
    "AcquisitionTime": "110001",
}
"""Values that another study could have in all slices of a series."""


FREE_IN_MR = ("RescaleSlope", "RescaleIntercept")
"""What an MR image may lack or have as it likes: its signal has no unit."""


def _is_mr(data: bytes) -> bool:
    return str(_parsed(data).get("Modality")) == "MR"


def damages(files: Mapping[Path, bytes], rng: np.random.Generator) -> Damage:
    """One kind of damage, drawn at random, to the files of a study."""
    images = [path for path, data in files.items() if data[128:132] == b"DICM"]
    draw = rng.random()
    path = list(files)[int(rng.integers(0, len(files)))]
    if draw < 0.6:
        kind = list(BYTES)[int(rng.integers(0, len(BYTES)))]
        return Damage(kind, {path: BYTES[kind](files[path], rng)}, path.name)
    image = images[int(rng.integers(0, len(images)))]
    if draw < 0.75:
        return _in_header(files, [image], "header of one file", rng)
    if draw < 0.85:
        series = pydicom.dcmread(image, stop_before_pixels=True).get("SeriesInstanceUID")
        return _in_header(files, list(_of_series(files, series)), "header of a series", rng)
    return _whole_file(files, image, rng)


def _of_series(files: Mapping[Path, bytes], uid: str) -> Iterator[Path]:
    for path, data in files.items():
        if data[128:132] == b"DICM" and _parsed(data).get("SeriesInstanceUID") == uid:
            yield path


def _parsed(data: bytes) -> Dataset:
    with warnings.catch_warnings(action="ignore"):
        return pydicom.dcmread(io.BytesIO(data))


def _elements(ds: Dataset, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where the attributes of a dataset are, those in the first items of sequences too."""
    for element in ds:
        if element.keyword and element.keyword != "PixelData":
            yield (*path, element.keyword)
        if element.VR == "SQ" and element.value:
            yield from _elements(element.value[0], (*path, element.keyword))


def _in_header(
    files: Mapping[Path, bytes], paths: Sequence[Path], kind: str, rng: np.random.Generator
) -> Damage:
    """One attribute of some files set to one worthless or, at times, another valid value."""
    places = list(_elements(_parsed(files[paths[0]])))
    place = places[int(rng.integers(0, len(places)))]
    is_valid = place[-1] in VALID and rng.random() < 0.3
    value = VALID[place[-1]] if is_valid else WORTHLESS[int(rng.integers(0, len(WORTHLESS)))]
    changed = {path: _with(files[path], place, value) for path in paths}
    is_valid = is_valid or (place[-1] in FREE_IN_MR and _is_mr(files[paths[0]]))
    shown = "taken out" if value is None else f"set to {str(value)[:12]!r}"
    return Damage(kind, changed, f"{'.'.join(place)} {shown}", is_valid=is_valid)


def _with(data: bytes, place: tuple[str, ...], value: object) -> bytes:
    """A file with one attribute set, as bytes whatever its type; unchanged where it has none."""
    ds = _parsed(data)
    item = ds
    for keyword in place[:-1]:
        item = item[keyword].value[0] if keyword in item and item[keyword].value else Dataset()
    if place[-1] not in item:
        return data
    element = item[place[-1]]
    if value is None:
        del item[place[-1]]
    else:
        text = "\\".join(value) if isinstance(value, list) else str(value)
        raw = (text + " " * (len(text) % 2)).encode()
        item[element.tag] = RawDataElement(element.tag, element.VR, len(raw), raw, 0, False, True)
    return _saved(ds)


def _whole_file(files: Mapping[Path, bytes], path: Path, rng: np.random.Generator) -> Damage:
    """A file taken away, emptied, copied, swapped or put beside the others."""
    others = [one for one in files if one != path and files[one][128:132] == b"DICM"]
    other = others[int(rng.integers(0, len(others)))]
    beside, alien = path.with_name("9999.dcm"), _parsed(files[path])
    kind = int(rng.integers(0, 9))
    is_valid = kind in (0, 4) and _is_at_an_end(files, path)
    if kind == 0:
        return Damage("file taken away", {path: None}, path.name, is_valid=is_valid)
    if kind == 1:
        return Damage("file emptied", {path: b""}, path.name)
    if kind == 2:
        return Damage("file full of zeros", {path: bytes(len(files[path]))}, path.name)
    if kind == 3:
        return Damage("copy of a file", {beside: files[path]}, path.name)
    if kind == 4:
        what = f"{path.name} by {other.name}"
        return Damage("file replaced by another", {path: files[other]}, what, is_valid=is_valid)
    if kind == 5:
        return Damage("half of another file", {path: _halves(files[path], files[other])}, path.name)
    if kind == 6:
        return Damage("text beside", {path.with_name("notes.txt"): b"met 1 in S7"}, path.name)
    if kind == 7:
        alien.PatientID = "P2"
        return Damage("slice of another patient", {path: _saved(alien)}, path.name)
    alien.SOPInstanceUID = f"{alien.SOPInstanceUID}.9"
    return Damage("copy under another UID", {beside: _saved(alien)}, path.name)


def _halves(one: bytes, other: bytes) -> bytes:
    return one[: len(one) // 2] + other[len(other) // 2 :]


def _saved(ds: Dataset) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        ds.save_as(file)
    return file.getvalue()


def _is_at_an_end(files: Mapping[Path, bytes], path: Path) -> bool:
    """Whether a file is the first or last slice of its series, or all of it: without it a study
    is another, smaller one."""
    ds = _parsed(files[path])
    if "ImagePositionPatient" not in ds:
        return True
    series = [_parsed(files[one]) for one in _of_series(files, ds.SeriesInstanceUID)]
    heights = [float(one.ImagePositionPatient[2]) for one in series]
    return float(ds.ImagePositionPatient[2]) in (min(heights), max(heights))


OWN = frozenset({
    "PixelData", "AcquisitionTime", "AcquisitionDate", "FrameReferenceTime", "ActualFrameDuration",
    "RescaleSlope",
    "SegmentLabel", "CodeValue", "CodingSchemeDesignator", "ROIName", "ContourData",
    "ContourGeometricType", "ReferencedSegmentNumber", "SegmentNumber", "ROINumber",
    "ReferencedROINumber",
})  # fmt: skip
"""Attributes whose value is each slice's or each segment's own, so that another may be meant."""


def told_apart(damage: Damage, files: Mapping[Path, bytes]) -> str | None:
    """Why a damaged study is one that somebody could have meant; None where it is not."""
    if damage.is_valid:
        return "another valid study"
    changes: set[str] = set()
    for path, data in damage.files.items():
        if data is None or path not in files:
            return None
        if data[128:132] != b"DICM":
            return "voxels" if path.suffix == ".nii" and _only_voxels(files[path], data) else None
        found = _differences(files[path], data)
        if found is None:
            return None
        changes |= found
    if changes == {"PixelData"}:
        return "pixels"
    return "a value of its own" if changes & OWN and not changes - OWN - UNUSED else None


UNUSED = frozenset({"InstanceNumber", "SOPInstanceUID", "CodeMeaning", "SliceThickness"})
"""Attributes that may change beside them and that no number comes from."""


def _only_voxels(before: bytes, after: bytes) -> bool:
    return len(before) == len(after) and before[:352] == after[:352]


def _differences(before: bytes, after: bytes) -> set[str] | None:
    """Keywords of the attributes that differ; None where a file cannot be read or is not whole."""
    try:
        one, other = dict(_flat(_parsed(before))), dict(_flat(_parsed(after)))
    except Exception:
        return None
    keys = {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
    sizes = [found.get(("PixelData",), b"") for found in (one, other)]
    gone = one.keys() != other.keys() or len(sizes[0]) != len(sizes[1])
    numbers = [key for key in keys if key[-1] in NUMBERS]
    if gone or not all(_is_number(other[key]) for key in numbers):
        return None
    return {key[-1] for key in keys}


NUMBERS = ("RescaleSlope", "FrameReferenceTime", "ActualFrameDuration", "AcquisitionTime")


def _is_number(value: object) -> bool:
    try:
        return math.isfinite(float(str(value))) and float(str(value)) > 0
    except ValueError:
        return False


def _flat(ds: Dataset, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str | bytes]]:
    for element in ds:
        name = element.keyword or str(element.tag)
        if element.VR == "SQ":
            for number, item in enumerate(element.value):
                yield from _flat(item, (*path, f"{name}{number}"))
        else:
            value = element.value
            yield (*path, name), value if isinstance(value, bytes) else str(value)
