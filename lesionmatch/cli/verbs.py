"""Each verb: arguments in, one library call, exit status out."""

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from lesionmatch.compare import Options
from lesionmatch.progress import Progress
from lesionmatch.protocol import Protocol, load_protocol


def compare(args: argparse.Namespace) -> int:
    """One study, all the way."""
    from lesionmatch.study import run_study

    progress = Progress(is_quiet=args.quiet)
    status = run_study([args.pet], [args.mri], args.out, options_of(args), progress)
    if not args.quiet:
        print(_summary(args.out, is_verbose=args.verbose))
    return status


def inspect(args: argparse.Namespace) -> int:
    """What is in these folders."""
    from lesionmatch import dicom
    from lesionmatch.cli.printed import inspection_page

    found = dicom.inspect(args.folders, options_of(args))
    _print(args, found.to_json(phi=args.phi), lambda: inspection_page(found, phi=args.phi))
    return 0


def suv(args: argparse.Namespace) -> int:
    """The SUV map alone."""
    from lesionmatch import dicom, nifti
    from lesionmatch.cli.printed import suv_page
    from lesionmatch.output import require_apart
    from lesionmatch.suv import BodySize

    if args.out is not None:
        require_apart(args.out, [args.pet])
    made = dicom.read_suv_map([args.pet], options_of(args), BodySize(args.by))
    if args.out is not None:
        nifti.write(made.image, args.out)
    out = str(args.out) if args.out else None
    _print(args, made.to_json(phi=args.phi), lambda: suv_page(made, out=out, phi=args.phi))
    return 0


def _print(args: argparse.Namespace, found: Mapping[str, Any], page: Callable[[], str]) -> None:
    """JSON for a script, or a page for a person."""
    print(json.dumps(found, indent=1, allow_nan=False) if args.json else page())


def _protocol(args: argparse.Namespace) -> Protocol:
    return Protocol() if args.protocol is None else load_protocol(args.protocol)


def report(args: argparse.Namespace) -> int:
    """Render the pages of a study or a batch again."""
    from lesionmatch.report import render_again

    page = render_again(args.out, overlays=args.overlays, phi=args.phi, is_quiet=args.quiet)
    if not args.quiet:
        print(f"open {page}")
    return 0


def demo(args: argparse.Namespace) -> int:
    """Write a simulated study and compare it."""
    from lesionmatch.phantom import demo_recipe, simulate, write_study
    from lesionmatch.study import run_study

    progress = Progress(is_quiet=args.quiet)
    # Each seed has a folder of its own, because two patients in one would be refused.
    folder = args.out / f"study-{args.seed}"
    pet, mri = folder / "pet", folder / "mri"
    with progress.stage("simulating a study"):
        study = simulate(demo_recipe(args.seed))
        write_study(study, pet, mri, folder / "truth.json")
    status = run_study([pet], [mri], args.out, Options(), progress)
    if not args.quiet:
        print(_summary(args.out, is_verbose=args.verbose))
    return status


def batch(args: argparse.Namespace) -> int:
    """Each row of a table."""
    from lesionmatch.batch.run import BatchOptions, default_workers, run_batch
    from lesionmatch.batch.table import read_studies
    from lesionmatch.batch.worker import Limits

    workers = args.workers or default_workers()
    threads = max(1, default_workers() // workers)
    limits = Limits(memory_gb=args.memory_gb, minutes=args.time_limit, threads=threads)
    how = BatchOptions(workers, args.retry, args.scheduler, limits, args.quiet)
    outcomes = run_batch(read_studies(args.studies), options_of(args), args.out, how)
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    doubtful = [outcome for outcome in outcomes if outcome.is_doubtful]
    if args.verbose:
        print(
            "\n".join(
                f"{one.study_id}: {one.error or _call(_found(args.out / 'studies' / one.study_id))}"
                for one in outcomes
            )
        )
    if not args.quiet:
        print(f"{len(outcomes)} studies: {len(failed)} failed, {len(doubtful)} doubtful")
        print(f"open {args.out / 'index.html'}")
    if failed:
        return 3
    return 1 if doubtful else 0


def cohort(args: argparse.Namespace) -> int:
    """From a tree of many patients to a table for `batch`."""
    from lesionmatch.batch.run import default_workers
    from lesionmatch.cohort.options import CohortOptions
    from lesionmatch.cohort.verb import headline, write_cohort

    options = CohortOptions(
        window_days=args.window,
        shared_mri=args.shared_mri,
        any_tracer=args.any_tracer,
        least_age_years=args.min_age,
        grades=tuple(args.grade or CohortOptions().grades),
        entities=tuple(args.entity),
        keep_treated=args.keep_treated,
        carry=tuple(args.carry),
        workers=args.workers or default_workers(),
        phi=args.phi,
        protocol=_protocol(args),
    )
    found = write_cohort(args.root, args.out, clinical=args.clinical, options=options)
    if not args.quiet:
        print("\n".join([*headline(found), f"open {args.out / 'cohort.html'}"]))
    return 0


def accuracy(args: argparse.Namespace) -> int:
    """Tables, intervals and tests from many studies."""
    from lesionmatch.evaluation.summary import Options as AccuracyOptions
    from lesionmatch.report.accuracy import write_accuracy
    from lesionmatch.report.accuracy_page import headline

    options = AccuracyOptions(level=args.level, draws=args.draws, seed=args.seed)
    found = write_accuracy(
        args.calls,
        args.out,
        by=args.by,
        readers=args.readers,
        decisions=args.decisions,
        options=options,
    )
    if not args.quiet:
        print("\n".join([*headline(found), f"open {args.out / 'accuracy.html'}"]))
    return 0


def options_of(args: argparse.Namespace) -> Options:
    """What the user decides: every field of `Options` that is a flag of the verb."""
    said = vars(args)
    given = {field.name: said[field.name] for field in fields(Options) if field.name in said}
    options = Options(**given | {"protocol": _protocol(args)})
    options.require_paths()
    return options


def _summary(out: Path, *, is_verbose: bool) -> str:
    """What a person wants to know at once: the calls, why, doubts, and where to look."""
    found = _found(out)
    doubts = found["registration"]["doubts"] + found["liver"]["doubts"]
    lines = [_call(found), *(f"doubtful: {doubt}" for doubt in doubts)]
    if is_verbose:
        lines += [f"assumed: {text}" for text in found["assumptions"]]
    return "\n".join([*lines, f"open {out / 'report.html'}"])


def _found(out: Path) -> dict[str, Any]:
    """What a comparison has written."""
    found: dict[str, Any] = json.loads((out / "comparison.json").read_text(encoding="utf-8"))
    return found


def _call(found: Mapping[str, Any]) -> str:
    calls = found["calls"]
    return f"MRI {calls['mri']}, PET {calls['pet']}: {calls['why']}"
