"""The words of the command line, one function a verb. Nothing heavy is imported here."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

import lesionmatch
from lesionmatch.typed import moment, path, positive, sex

T = TypeVar("T")
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

EPILOG = """lesionmatch VERB --help has the options of a verb.

exit status: 0 done; 1 done, and a quality gate asks for a person's eye;
2 the input cannot be used; 3 a batch finished with some studies failed;
70 a defect of the program"""


def parser() -> argparse.ArgumentParser:
    """All verbs and their options."""
    top = argparse.ArgumentParser(
        prog="lesionmatch",
        description=lesionmatch.__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=lesionmatch.__version__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for add in (_compare, _inspect, _suv, _cohort, _batch, _accuracy, _report, _demo):
        add(verbs)
    return top


def _compare(verbs: Verbs) -> None:
    verb = verbs.add_parser(
        "compare",
        help="one study, all the way",
        description="Compare one PET/CT with one liver MRI: a page to look at, tables, a picture "
        "of every lesion and the images on one grid. What no option names is found in the folders.",
    )
    verb.add_argument("pet", type=_path, metavar="PET", help="folder or zip of the PET/CT")
    verb.add_argument("mri", type=_path, metavar="MRI", help="folder or zip of the liver MRI")
    _out(verb, default=Path("lesionmatch-out"))
    _lesion_options(verb)
    _header_options(verb)
    _method_options(verb)
    _loudness(verb)


def _inspect(verbs: Verbs) -> None:
    verb = verbs.add_parser(
        "inspect",
        help="every series: what it was taken for, and why not",
        description="What is in some folders, and what `compare` would take of it.",
    )
    verb.add_argument(
        "folders", type=_path, nargs="+", metavar="DIR", help="folders, zips or files of a patient"
    )
    verb.add_argument("--json", action="store_true", help="print JSON for scripts")
    _protocol(verb)
    _phi(verb)


SIZES = ("BW", "LBM", "LBMJAMES128", "LBMJANMA", "IBW", "BSA")


def _suv(verbs: Verbs) -> None:
    verb = verbs.add_parser(
        "suv",
        help="the SUV map alone, as NIfTI",
        description="Whether the PET has SUV, how it comes about, and the map of it as NIfTI.",
    )
    verb.add_argument("pet", type=_path, metavar="PET", help="folder or zip of the PET/CT")
    verb.add_argument(
        "-o", "--out", type=_nifti, metavar="FILE", help="map to write, .nii or .nii.gz"
    )
    verb.add_argument(
        "--by",
        type=str.upper,
        choices=SIZES,
        default="BW",
        help="body size, by DICOM's terms: BW weight (default), LBM lean by Morgan, LBMJAMES128 "
        "lean by James, LBMJANMA lean by Janmahasatian, IBW ideal weight, BSA surface",
    )
    verb.add_argument("--json", action="store_true", help="print JSON for scripts")
    _pet_options(verb)
    _header_options(verb)
    _protocol(verb)
    _phi(verb)


def _batch(verbs: Verbs) -> None:
    verb = verbs.add_parser(
        "batch",
        help="compare each row of a table, in parallel, resumable",
        description="Compare each study of a table. A study that fails does not stop the others, "
        "and the same command again does only what is missing or has changed.",
    )
    verb.add_argument(
        "studies",
        type=_path,
        metavar="STUDIES.csv",
        help="columns study_id, patient_id, pet, mri; others are options or carried through",
    )
    _out(verb)
    verb.add_argument(
        "-j", "--workers", type=_count, metavar="N", help="studies at a time (default every core)"
    )
    verb.add_argument("--retry", action="store_true", help="try studies again that failed before")
    verb.add_argument("--scheduler", metavar="ADDRESS", help="a dask.distributed scheduler")
    verb.add_argument(
        "--memory-gb",
        type=_as(positive),
        default=6.0,
        metavar="GB",
        help="a study's cap (default 6)",
    )
    verb.add_argument(
        "--time-limit",
        type=_as(positive),
        default=30.0,
        metavar="MINUTES",
        help="a study's cap (default 30)",
    )
    _lesion_options(verb)
    _method_options(verb)
    _loudness(verb)


def _cohort(verbs: Verbs) -> None:
    verb = verbs.add_parser(
        "cohort",
        help="index a DICOM tree, pair PET/CT with MRI, select",
        description="Index a tree of many patients, pair each PET/CT with its liver MRI, apply the "
        "rules of inclusion, and write the table for `batch` with the flow of the cohort.",
    )
    verb.add_argument("root", type=_path, metavar="DICOM_ROOT", help="folder of many patients")
    _out(verb)
    verb.add_argument(
        "--clinical", type=_path, metavar="CSV", help="patient_id, grade, entity, ..."
    )
    _inclusion_options(verb)
    verb.add_argument(
        "--carry",
        action="append",
        default=[],
        metavar="COLUMN",
        help="clinical column to carry to studies.csv; repeat",
    )
    verb.add_argument(
        "-j",
        "--workers",
        type=_count,
        metavar="N",
        help="processes that read (default every core)",
    )
    _protocol(verb)
    verb.add_argument("--phi", action="store_true", help="keep patients' own identifiers")
    _quiet(verb)


def _inclusion_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--window",
        type=_as(_window),
        metavar="FIRST:LAST",
        help="days from the PET/CT to its MRI (default 0:92); --window=-92:92 for either side",
    )
    verb.add_argument("--shared-mri", action="store_true", help="one MRI may serve several PET/CTs")
    verb.add_argument("--any-tracer", action="store_true", help="keep PET/CTs of other tracers")
    verb.add_argument("--min-age", type=float, metavar="YEARS", help="at the PET/CT (default 18)")
    verb.add_argument(
        "--grade", action="append", metavar="G", help="keep this grade; repeat (default G1, G2)"
    )
    verb.add_argument(
        "--entity",
        action="append",
        default=[],
        metavar="NAME",
        help="keep this entity; repeat (default all)",
    )
    verb.add_argument(
        "--keep-treated", action="store_true", help="keep pairs with a therapy between the scans"
    )


def _accuracy(verbs: Verbs) -> None:
    verb = verbs.add_parser(
        "accuracy",
        help="tables, intervals and tests from many studies",
        description="Sensitivity, specificity, PPV, NPV and kappa of the PET against the MRI with "
        "exact and clustered intervals, by lesion size too, as a page, tables and JSON.",
    )
    verb.add_argument(
        "calls", type=_path, metavar="CALLS", help="a batch's folder, or a CSV of calls"
    )
    _out(verb)
    verb.add_argument(
        "--by", action="append", default=[], metavar="COLUMN", help="stratify by it; repeat"
    )
    verb.add_argument(
        "--readers", type=_path, metavar="CSV", help="readers' calls: study_id, reader, pet, mri"
    )
    verb.add_argument(
        "--decisions", type=_path, metavar="CSV", help="what persons settled on the worklist"
    )
    verb.add_argument(
        "--level",
        type=float,
        default=0.95,
        metavar="SHARE",
        help="of the intervals (default 0.95)",
    )
    verb.add_argument(
        "--draws",
        type=int,
        default=2000,
        metavar="N",
        help="of the bootstrap; 0 for none (default 2000)",
    )
    verb.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the bootstrap (default 0)"
    )
    _quiet(verb)


def _report(verbs: Verbs) -> None:
    verb = verbs.add_parser(
        "report",
        help="render the pages again from what is on disk",
        description="Render the pages and pictures again, without computing anything again and "
        "without the studies.",
    )
    verb.add_argument("out", type=_path, metavar="OUT", help="what compare or batch wrote")
    verb.add_argument(
        "--no-overlays",
        dest="overlays",
        action="store_false",
        help="no pictures; earlier ones are taken away",
    )
    _phi(verb)
    _quiet(verb)


def _demo(verbs: Verbs) -> None:
    verb = verbs.add_parser(
        "demo",
        help="write a simulated study as DICOM and compare it",
        description="Simulate a patient, write both studies as real DICOM with the truth beside "
        "them, and compare them.",
    )
    _out(verb, default=Path("lesionmatch-demo"))
    verb.add_argument(
        "--seed", type=int, default=1, metavar="N", help="another seed is another body (default 1)"
    )
    _loudness(verb)


def _out(verb: argparse.ArgumentParser, default: Path | None = None) -> None:
    shown = f" (default {default}/)" if default else ""
    verb.add_argument(
        "-o",
        "--out",
        type=_path,
        default=default,
        required=default is None,
        metavar="OUT",
        help=f"folder to write to{shown}",
    )


def _pet_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--pet-series", metavar="UID", help="the PET series to use, as `inspect` names it"
    )
    verb.add_argument(
        "--weight-kg", type=_as(positive), metavar="KG", help="in the place of the header's weight"
    )


def _header_options(verb: argparse.ArgumentParser) -> None:
    """What may stand in the place of the PET's header."""
    group = verb.add_argument_group(
        "in the header's place", "recorded with what the header has; times on the scanner's clock"
    )
    group.add_argument("--height-m", type=_as(positive), metavar="M", help="patient's height")
    group.add_argument("--sex", type=_as(sex), metavar="M|F", help="for lean and ideal size")
    group.add_argument("--dose-mbq", type=_as(positive), metavar="MBQ", help="injected activity")
    group.add_argument("--half-life-s", type=_as(positive), metavar="S", help="of the nuclide")
    group.add_argument(
        "--injected-at", type=_as(moment), metavar="TIME", help="such as 2025-01-31T09:30"
    )
    group.add_argument(
        "--reference-at",
        type=_as(moment),
        metavar="TIME",
        help="time the PET is decay-corrected to",
    )


def _lesion_options(verb: argparse.ArgumentParser) -> None:
    _pet_options(verb)
    verb.add_argument(
        "--mri-series", metavar="UID", help="the hepatobiliary series to use, as `inspect` names it"
    )
    verb.add_argument(
        "--lesions",
        type=_path,
        metavar="PATH",
        help="SEG, RTSTRUCT, NIfTI or NRRD (default what lies beside the MRI)",
    )
    verb.add_argument(
        "--liver",
        type=_path,
        metavar="PATH",
        help="a mask of the liver (default a segment called liver, else found on the MRI)",
    )
    verb.add_argument(
        "--different-ids",
        action="store_true",
        help="the two studies belong together although patient ID, birth date or sex differ",
    )


def _method_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--registration",
        default="auto",
        metavar="HOW",
        help="auto, rigid, affine, deformable, identity, or a file: an ITK transform, a 4x4 matrix "
        "as text, or a DICOM registration (default auto)",
    )
    _protocol(verb)
    verb.add_argument("--no-overlays", dest="overlays", action="store_false", help="no pictures")
    _phi(verb)


def _protocol(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--protocol", type=_path, metavar="FILE.toml", help="other thresholds")


def _phi(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--phi", action="store_true", help="show names and descriptions of headers")


def _quiet(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")


def _loudness(verb: argparse.ArgumentParser) -> None:
    loudness = verb.add_mutually_exclusive_group()
    loudness.add_argument("-q", "--quiet", action="store_true", help="say nothing but errors")
    loudness.add_argument("-v", "--verbose", action="store_true", help="say what was found")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wanted a whole number of at least 1, got {text!r}")
    return int(text)


def _window(text: str) -> tuple[int, int]:
    from lesionmatch.cohort.options import window

    return window(text)


def _as(parse: Callable[[str], T]) -> Callable[[str], T]:
    """An option's type, so that what it refuses is said in its own words."""

    def parsed(text: str) -> T:
        try:
            return parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parsed


def _path(text: str) -> Path:
    return _as(path)(text)


def _nifti(text: str) -> Path:
    if not text.lower().endswith((".nii", ".nii.gz")):
        raise argparse.ArgumentTypeError(f"wanted a name ending in .nii or .nii.gz, got {text!r}")
    return Path(text)
