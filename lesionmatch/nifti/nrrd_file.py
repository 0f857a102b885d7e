"""Reading NRRD, with the layers and names of segments that 3D Slicer writes into it."""

import bz2
import io
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import nrrd
import numpy as np
from numpy.typing import NDArray

from lesionmatch.errors import BrokenFile, InvalidInput
from lesionmatch.nifti.stored import LabelName, Names, Voxels, require_size
from lesionmatch.protocol import InputLimits
from lesionmatch.segments import Code

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


def read_nrrd(file: BinaryIO, limits: InputLimits) -> tuple[list[Voxels], Names]:
    """The volumes of an NRRD file, one or a layer each, and the names it gives to labels.

    Raises `InvalidInput`, or whatever pynrrd does, where it cannot be read.
    """
    data = file.read()
    stream = io.BytesIO(data)
    header = nrrd.read_header(stream)
    if "data file" in header or "datafile" in header:
        raise InvalidInput("NRRD file: wanted its voxels inside, got a link to another file")
    sizes = [int(size) for size in header["sizes"]]
    dtype = _nrrd_dtype(header)
    wanted = require_size(sizes, dtype.itemsize, limits)
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
    return [Voxels(layer, matrix) for layer in layers], _slicer_names(header)


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
