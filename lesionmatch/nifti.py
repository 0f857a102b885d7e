"""NIfTI and NRRD, in and out: the only place with another world than LPS.

NIfTI's world is RAS: x and y point the other way. NRRD names its own. Neither format names
a frame of reference, so the caller says which one the file belongs to. Arrays there are
(column, row, slice); a file's bytes are those of our (slice, row, column) arrays in C order.
"""

import bz2
import gzip
import io
import logging
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Literal

import nibabel as nib
import nrrd
import numpy as np
from numpy.typing import NDArray

from lesionmatch.errors import BrokenFile, InvalidGeometry, InvalidInput, UnusableOutput
from lesionmatch.geometry import Frame, Grid
from lesionmatch.image import Image, LabelMap, Mask, Quantity
from lesionmatch.protocol import InputLimits
from lesionmatch.segments import Code

FILE = Frame("file")
"""The frame of a file that belongs to none."""
LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
GZIP_LEVEL = 3
"""Of the levels, the last before speed drops: 3 is 2.5 times as fast as 6 and 5 % larger."""
HEADER_BYTES = 352
"""Of a NIfTI-1 header with the four bytes that say that no extension follows."""
WHOLE_TOL = 1e-3
"""Labels stored as floating point may be this far from a whole number."""
MEGABYTE = 1e6
NIFTI_2_HEADER = 540
ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")

logging.getLogger("nibabel.global").disabled = True  # what it logs, we refuse

FILE_FAULTS = (
    ValueError, TypeError, LookupError, AttributeError, OSError, EOFError, MemoryError,
    OverflowError, zlib.error, ArithmeticError, RecursionError,
    nib.filebasedimages.ImageFileError, nib.spatialimages.HeaderDataError, nrrd.NRRDError,
    nib.wrapstruct.WrapStructError, struct.error, AssertionError,
)  # fmt: skip
"""What the readers raise on broken files; all of it means: unreadable."""


@dataclass(frozen=True, slots=True)
class LabelName:
    """What a file calls a label."""

    name: str
    codes: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class LabelVolume:
    """The label maps of a file: one, or several that may overlap, and the names it gives."""

    layers: tuple[LabelMap, ...]
    names: Mapping[tuple[int, int], LabelName] = field(default_factory=dict)
    """By the number of the layer and the label."""


@dataclass(frozen=True, slots=True, eq=False)
class _Voxels:
    """An array as stored, (slices, rows, columns), and its place in LPS."""

    array: NDArray[Any]
    world_from_voxel: NDArray[np.float64]

    def grid(self, frame: Frame) -> Grid:
        """Where the voxels lie, in a frame that the file does not name."""
        slices, rows, columns = self.array.shape
        return Grid(frame, (slices, rows, columns), self.world_from_voxel)


def read_image(path: Path, quantity: Quantity, frame: Frame = FILE) -> Image:
    """The image of a NIfTI or NRRD file. Raises `InvalidInput` where it cannot be read."""
    with _opened(path) as file:
        voxels = _volumes(file, path.name, InputLimits())[0][0]
    return Image(_placed(voxels, frame, path.name), voxels.array, quantity)


def read_labels(path: Path, frame: Frame = FILE) -> LabelMap:
    """The label map of a NIfTI or NRRD file; the first where it holds several layers.

    Raises `InvalidInput` where it cannot be read or its values are no labels.
    """
    with _opened(path) as file:
        return read_label_volume(file, path.name, frame).layers[0]


def read_label_volume(
    file: BinaryIO, name: str, frame: Frame = FILE, limits: InputLimits | None = None
) -> LabelVolume:
    """All label maps of a NIfTI or NRRD file called `name`, with the names it gives to labels.

    Raises `InvalidInput` where it cannot be read or its values are no labels.
    """
    volumes, names = _volumes(file, name, limits or InputLimits())
    layers = tuple(
        LabelMap(_placed(voxels, frame, name), _labels(voxels.array)) for voxels in volumes
    )
    return LabelVolume(layers, names)


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidInput(f"file: wanted one that can be read, got {error.strerror}") from error


def _placed(voxels: _Voxels, frame: Frame, name: str) -> Grid:
    try:
        return voxels.grid(frame)
    except InvalidGeometry as error:
        raise InvalidInput(f"{_kind(name)} file: wanted a grid, got {error}") from error


def _kind(name: str) -> str:
    """What a message calls a file, without its name."""
    return "NRRD" if name.lower().endswith(".nrrd") else "NIfTI"


def _labels(array: NDArray[Any]) -> NDArray[np.uint16]:
    """Values as labels. Raises `InvalidInput` unless they are whole and from 0 to 65535."""
    if array.dtype.kind not in "iub":
        if not np.isfinite(array).all() or np.abs(array - np.rint(array)).max() > WHOLE_TOL:
            raise InvalidInput(
                "label file: wanted whole numbers, got others; is it an image or a probability? "
                "threshold it first"
            )
        array = np.rint(array)
    if array.min() < 0 or array.max() > 65535:
        raise InvalidInput(
            f"label file: wanted labels from 0 to 65535, got {array.min():g} to {array.max():g}"
        )
    return array.astype(np.uint16)


def _volumes(
    file: BinaryIO, name: str, limits: InputLimits
) -> tuple[list[_Voxels], dict[tuple[int, int], LabelName]]:
    reader = _nrrd if name.lower().endswith(".nrrd") else _nifti
    try:
        with warnings.catch_warnings(action="ignore"):
            return reader(file, limits)
    except InvalidInput:
        raise
    except FILE_FAULTS as error:
        raise BrokenFile(
            f"{_kind(name)} file: wanted one that can be read, got a broken one "
            f"({type(error).__name__}); write it again"
        ) from error


def _require_size(shape: Sequence[int], bytes_each: int, limits: InputLimits) -> int:
    """The bytes of an array. Raises `InvalidInput` beyond the limits."""
    count = float(np.prod([float(n) for n in shape]))
    size_mb = count * max(bytes_each, 4) / MEGABYTE
    if count < 1 or size_mb > limits.volume_mb:
        raise InvalidInput(
            f"label file: wanted at most {limits.volume_mb:.0f} MB, got {size_mb:.0f} MB; "
            "raise [input] volume_mb"
        )
    return int(count) * bytes_each


def _nifti(
    file: BinaryIO, limits: InputLimits
) -> tuple[list[_Voxels], dict[tuple[int, int], LabelName]]:
    image = _nifti_image(file, limits)
    header, shape = image.header, image.header.get_data_shape()
    if len(shape) < 3 or any(size != 1 for size in shape[3:]):
        raise InvalidInput(f"NIfTI file: wanted three dimensions, got {len(shape)}")
    if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
        raise InvalidInput(
            "NIfTI file: wanted a place in sform or qform, got neither; write it with its affine"
        )
    array = np.asanyarray(image.dataobj).reshape(shape[:3]).transpose(2, 1, 0)
    matrix = LPS_FROM_RAS @ np.asarray(image.affine, np.float64)
    return [_Voxels(array, matrix[:, [2, 1, 0, 3]])], _caret_names(header)


def _nifti_image(file: BinaryIO, limits: InputLimits) -> Any:  # noqa: ANN401 - of either version
    """A file as nibabel has it, its size held against what its header says."""
    head = file.read(2)
    file.seek(0)
    plain: Any = gzip.GzipFile(fileobj=file) if head == b"\x1f\x8b" else file
    first = plain.read(NIFTI_2_HEADER)
    is_second = NIFTI_2_HEADER in (int.from_bytes(first[:4], order) for order in ORDERS)
    kind: Any = nib.Nifti2Image if is_second else nib.Nifti1Image
    header = kind.header_class(first[: kind.header_class.sizeof_hdr])
    voxels = _require_size(header.get_data_shape(), header.get_data_dtype().itemsize, limits)
    start = int(header["vox_offset"])
    if not kind.header_class.sizeof_hdr <= start <= limits.header_mb * MEGABYTE:
        raise BrokenFile(
            f"NIfTI file: wanted a header of at most {limits.header_mb:.0f} MB, got {start} bytes"
        )
    # One byte more is asked for, so that a stream is read to its end and its checksum is checked.
    data = first + plain.read(max(start + voxels + 1 - len(first), 0))
    if len(data) != start + voxels:
        raise BrokenFile(
            f"NIfTI file: wanted {start + voxels} bytes, as its header says, got "
            f"{'more' if len(data) > start + voxels else len(data)}; write it again"
        )
    return kind.from_bytes(data)


CARET_LABEL = re.compile(r'<Label[^>]*?Key="(\d+)"[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]+)')


def _caret_names(header: Any) -> dict[tuple[int, int], LabelName]:  # noqa: ANN401 - nibabel
    """Names of labels in the extension that TotalSegmentator and Workbench write."""
    names = {}
    for extension in header.extensions:
        content = extension.get_content()
        text = content.decode("utf-8", "replace") if isinstance(content, bytes) else str(content)
        for key, name in CARET_LABEL.findall(text):
            names[0, int(key)] = LabelName(name.strip())
    return names


NRRD_SPACES = {
    "left-posterior-superior": (1.0, 1.0, 1.0),
    "lps": (1.0, 1.0, 1.0),
    "right-anterior-superior": (-1.0, -1.0, 1.0),
    "ras": (-1.0, -1.0, 1.0),
    "left-anterior-superior": (1.0, -1.0, 1.0),
    "las": (1.0, -1.0, 1.0),
}
"""What turns the axes of each named space into LPS."""


def _inflated_gzip(data: bytes, size: int) -> bytes:
    stream = zlib.decompressobj(zlib.MAX_WBITS | 32)
    return _whole(stream, stream.decompress(data, size + 1), size)


def _inflated_bzip2(data: bytes, size: int) -> bytes:
    stream = bz2.BZ2Decompressor()
    return _whole(stream, stream.decompress(data, size + 1), size)


def _whole(stream: Any, found: bytes, size: int) -> bytes:  # noqa: ANN401 - of either library
    """What was inflated, where the stream ended, as only then its checksum was checked."""
    if not stream.eof and len(found) <= size:
        raise ValueError("a stream without its end")
    return found


def _as_is(data: bytes, size: int) -> bytes:
    return data[: size + 1]


ENCODINGS: dict[str, Callable[[bytes, int], bytes]] = {
    "raw": _as_is,
    "gzip": _inflated_gzip,
    "gz": _inflated_gzip,
    "bzip2": _inflated_bzip2,
    "bz2": _inflated_bzip2,
}


def _nrrd(
    file: BinaryIO, limits: InputLimits
) -> tuple[list[_Voxels], dict[tuple[int, int], LabelName]]:
    data = file.read()
    stream = io.BytesIO(data)
    header = nrrd.read_header(stream)
    if "data file" in header or "datafile" in header:
        raise InvalidInput("NRRD file: wanted its voxels inside, got a link to another file")
    sizes = [int(size) for size in header["sizes"]]
    dtype = _nrrd_dtype(header)
    wanted = _require_size(sizes, dtype.itemsize, limits)
    encoding = str(header["encoding"]).lower()
    if encoding not in ENCODINGS:
        raise InvalidInput(f"NRRD file: wanted encoding raw, gzip or bzip2, got {encoding[:20]}")
    voxels = ENCODINGS[encoding](data[stream.tell() :], wanted)
    if len(voxels) != wanted:
        got = "more" if len(voxels) > wanted else len(voxels)
        raise BrokenFile(f"NRRD file: wanted {wanted} bytes of voxels, got {got}; write it again")
    array = np.frombuffer(voxels, dtype).reshape(sizes[::-1])
    matrix, lists = _nrrd_place(header, len(sizes))
    if len(sizes) - len(lists) != 3 or len(lists) > 1:
        raise InvalidInput(f"NRRD file: wanted three axes in space, got {len(sizes) - len(lists)}")
    layers = np.moveaxis(array, len(sizes) - 1 - lists[0], 0) if lists else array[None]
    return [_Voxels(layer, matrix) for layer in layers], _slicer_names(header)


def _nrrd_dtype(header: Mapping[str, Any]) -> np.dtype[Any]:
    found: np.dtype[Any] = np.dtype(nrrd.reader._TYPEMAP_NRRD2NUMPY[header["type"]])
    is_big = str(header.get("endian", "little")).lower() == "big"
    return found.newbyteorder(">" if is_big else "<")


def _nrrd_place(header: Mapping[str, Any], axes: int) -> tuple[NDArray[np.float64], list[int]]:
    """(4, 4) LPS from (slice, row, column), and which axes are lists, not space."""
    space = str(header.get("space", "")).lower()
    if space not in NRRD_SPACES or "space directions" not in header:
        raise InvalidInput(
            "NRRD file: wanted a space named LPS, RAS or LAS with its directions, got "
            f"{space[:30] or 'none'}; write it with its geometry"
        )
    directions = [np.asarray(row, np.float64) for row in header["space directions"]]
    lists = [i for i in range(axes) if not np.isfinite(directions[i]).all()]
    spatial = [directions[i] for i in range(axes) if i not in lists]
    if len(spatial) != 3:
        raise InvalidInput(f"NRRD file: wanted three axes in space, got {len(spatial)}")
    matrix = np.eye(4)
    matrix[:3, :3] = np.column_stack(spatial[::-1])
    matrix[:3, 3] = np.asarray(header.get("space origin", (0, 0, 0)), np.float64)
    return np.diag([*NRRD_SPACES[space], 1.0]) @ matrix, lists


SLICER_CODE = re.compile(r"[~^|]?([A-Za-z0-9]{2,10})\^([A-Z0-9-]{3,18})\^")


def _slicer_names(header: Mapping[str, Any]) -> dict[tuple[int, int], LabelName]:
    """Names and codes of segments as 3D Slicer writes them into a .seg.nrrd."""
    names = {}
    for key in header:
        match = re.fullmatch(r"Segment(\d+)_LabelValue", str(key))
        if match is None:
            continue
        prefix = f"Segment{match[1]}_"
        layer = int(header.get(prefix + "Layer", 0))
        tags = str(header.get(prefix + "Tags", ""))
        codes = tuple(Code(scheme, value) for scheme, value in SLICER_CODE.findall(tags))
        name = str(header.get(prefix + "Name", ""))
        names[layer, int(header[key])] = LabelName(name, codes)
    return names


def write(volume: Image | Mask | LabelMap, path: Path, *, step: float | None = None) -> None:
    """Write NIfTI-1, gzipped where `path` ends in .gz; the same input makes the same bytes.

    An image is stored as float32, or with `step` as 16-bit multiples of it; a mask as 8-bit,
    labels as 16-bit whole numbers. Raises `UnusableOutput` where `path` cannot be written.
    """
    stored = _stored(volume, step)
    block = _header(volume.grid, stored, step).binaryblock + bytes(4)
    try:
        with path.open("wb") as file:
            if path.name.endswith(".gz"):
                with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as packed:
                    packed.write(block + stored.tobytes())
            else:
                file.write(block + stored.tobytes())
    except OSError as error:
        raise UnusableOutput(
            f"{path}: wanted a file that can be written, got {error.strerror}; choose another place"
        ) from error


def _stored(volume: Image | Mask | LabelMap, step: float | None) -> NDArray[Any]:
    if isinstance(volume, Mask):
        return volume.array.astype("<u1")
    if isinstance(volume, LabelMap):
        return volume.array.astype("<u2")
    if step is None:
        return volume.array.astype("<f4")
    steps = np.clip(np.rint(volume.array / step), -32768, 32767)
    return np.asarray(steps, "<i2")


def _header(grid: Grid, stored: NDArray[Any], step: float | None) -> nib.Nifti1Header:
    header = nib.Nifti1Header(endianness="<")
    header.set_data_dtype(stored.dtype)
    header.set_data_shape(stored.shape[::-1])
    ras = (LPS_FROM_RAS @ grid.world_from_voxel)[:, [2, 1, 0, 3]]
    header.set_sform(ras, code=1)
    header.set_qform(ras, code=1, strip_shears=True)
    header.set_xyzt_units("mm")
    header["vox_offset"] = HEADER_BYTES
    header["scl_slope"], header["scl_inter"] = (1.0 if step is None else step), 0.0
    return header
