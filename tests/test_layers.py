"""Imports only go down, and each heavy library has one owner."""

import ast
from pathlib import Path

import pytest

import lesionmatch

PACKAGE = Path(lesionmatch.__file__).parent

LAYERS = [
    {"__init__"},
    {"errors", "wording"},
    {"geometry", "accuracy"},
    {"image", "balls", "protocol", "columns", "progress", "output", "typed", "csv_table"},
    {"segments"},
    {"suv", "resample", "detectability"},
    {"nifti"},
    {"dicom"},
    {"registration", "liver", "foci", "lesions"},
    {"landmarks"},
    {"concordance", "calls"},
    {"compare", "phantom"},
    {"record"},
    {"evaluation"},
    {"report"},
    {"study"},
    {"batch", "cohort"},
    {"cli"},
    {"__main__"},
]
DICOM_LAYERS = [
    {"options"},
    {"files"},
    {"series"},
    {"suv", "pixels", "write"},
    {"drawn", "hbp_signal", "spatial"},
    {"study"},
    {"ct"},
    {"pet"},
    {"mri", "suv_study"},
    {"inspection"},
    {"__init__"},
]
"""Rooms within reading, which is the largest part."""
DICOM_RANK = {room: rank for rank, rooms in enumerate(DICOM_LAYERS) for room in rooms}
RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}

OWNERS = {
    "pydicom": {"dicom"},
    "highdicom": {"dicom"},
    "nibabel": {"nifti"},
    "nrrd": {"nifti"},
    "h5py": {"resample"},
    "SimpleITK": {"resample", "registration", "dicom"},
    "matplotlib": {"report"},
    "jinja2": {"report"},
    "rich": {"progress", "cli"},
    "dask": {"batch"},
    "distributed": {"batch"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path: Path) -> set[str]:
    """Dotted names a module imports, at its head or inside functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_go_down(path: Path) -> None:
    room = room_of(path)
    for name in imported(path):
        parts = name.split(".")
        if parts[0] == "lesionmatch" and len(parts) > 1 and parts[1] in RANK and parts[1] != room:
            assert RANK[parts[1]] < RANK[room], f"{room} imports {name}"
            assert parts[1] != "phantom" or room == "cli", f"{room} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_heavy_libraries_have_one_owner(path: Path) -> None:
    for name in imported(path):
        owners = OWNERS.get(name.split(".")[0])
        assert owners is None or room_of(path) in owners, f"{room_of(path)} imports {name}"


def test_every_module_has_a_layer() -> None:
    assert {room_of(path) for path in MODULES} <= set(RANK)


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if room_of(path) == "dicom"],
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_imports_only_go_down_within_reading(path: Path) -> None:
    room = path.relative_to(PACKAGE / "dicom").parts[0].removesuffix(".py")
    for name in imported(path):
        _, *inner = name.split("lesionmatch.dicom.")
        below = inner[0].split(".")[0] if inner else ""
        if below in DICOM_RANK and below != room:
            assert DICOM_RANK[below] < DICOM_RANK[room], f"{room} imports {name}"
