"""A simulated cohort through foci, concordance and calls: what is right, and how often.

    python scripts/bench concordance --studies 400 --first-seed 7000

With LESIONMATCH_PATIENT_LABELS set every second body is a patient's. It
prints status and reason against the truth, cells, calibration of ``null_p``, sensitivity by
size beside its prediction, what landmarks do, which relations are ambiguous, and the time a
study takes. ``--workers 2`` does the same in half of the time.
"""

import argparse
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from _cohort import Study, crowded
from _crowd import Crowd, crowd_of
from _outcome import (
    PROTOCOL,
    Outcome,
    blur_of,
    is_decided,
    misplaced_mm,
    outcome_of,
    run,
    true_cause,
    true_reason,
    true_status,
    truth_of,
)
from _strangers import LEAST, put_together
from scipy.stats import kstest

from lesionmatch.concordance import LesionFinding, Pair
from lesionmatch.detectability import detection_probability, edge_deficit, smoothing_gain
from lesionmatch.phantom.truth import LesionTruth

SIZES = (0.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 100.0)


def table(title: str, counts: Counter[tuple[str, str]]) -> None:
    """Truth down, result across."""
    rows = sorted({row for row, _ in counts})
    columns = sorted({column for _, column in counts})
    print(f"\n{title}\n{'truth':>24}" + "".join(f"{c:>16}" for c in columns))
    for row in rows:
        print(f"{row:>24}" + "".join(f"{counts[row, c]:>16}" for c in columns))


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {part / whole:.1%}" if whole else "none"


def _lesion_rows(outcomes: list[Outcome]) -> list[tuple[Outcome, LesionFinding, LesionTruth]]:
    return [
        (o, found, truth_of(o.study, found.lesion.lesion_id))
        for o in outcomes
        for found in o.concordance.lesions
    ]


def print_status(outcomes: list[Outcome], verbose: bool) -> None:
    """Status of every lesion against the truth."""
    rows = [(o, f, t) for o, f, t in _lesion_rows(outcomes) if f.status != "not_covered"]
    table("status", Counter((true_status(t), f.status) for _, f, t in rows))
    clear = [(o, f, t) for o, f, t in rows if true_status(t) != "between"]
    wrong = [
        (o, f, t) for o, f, t in clear if (f.status == "positive") != (true_status(t) == "positive")
    ]
    low = [f for _, f, t in rows if true_status(t) == "not positive"]
    false = sum(f.status == "retrospective" for f in low)
    print("retrospective below CNR 3:", _share(false, len(low)))
    print("status right outside CNR 3-6:", _share(len(clear) - len(wrong), len(clear)))
    chances = [
        (_predicted(o.study, t) if true_status(t) == "positive" else 1.0 - _predicted(o.study, t))
        for o, _, t in clear
    ]
    print(f"   as the closed form expects of these lesions: {np.mean(chances):.1%}")
    suited = [(f, t, _suited_cnr(o.study, t)) for o, f, t in rows]
    sure = [(f, cnr) for f, _, cnr in suited if not 3.0 <= cnr <= 6.0]
    good = sum((f.status == "positive") == (cnr > 6.0) for f, cnr in sure)
    print("   the same of the CNR once smoothed to suit each size:", _share(good, len(sure)))
    both = [f.status == "positive" for f, t, _ in suited if t.contrast_to_noise > 6.0]
    both += [f.status != "positive" for f, _, cnr in suited if cnr < 3.0]
    print("   where both are above 6, or both below 3:", _share(sum(both), len(both)))
    for o, f, t in wrong if verbose else []:
        near = min((abs(p.gap_mm) for p in f_pairs(o, f)), default=float("nan"))
        print(
            f"   seed {o.study.seed} {t.lesion_id} {t.kind.value} {t.place.value} {f.status} "
            f"d {t.diameter_mm:.1f} T/L {t.tumour_to_liver:.2f} CNR {t.contrast_to_noise:.1f} "
            f"capsule {t.capsule_distance_mm:.1f} relation {f.relation} gap {near:.1f} "
            f"misplaced {misplaced_mm(o, f):.1f}"
        )


def _suited_cnr(study: Study, row: LesionTruth) -> float:
    """Contrast-to-noise after the smoothing that suits the lesion's size, as a search sees it."""
    grain_mm = PROTOCOL.detectability.grain_fwhm_mm
    return row.contrast_to_noise * smoothing_gain(row.diameter_mm, blur_of(study), grain_mm)


def f_pairs(outcome: Outcome, found: LesionFinding) -> list[Pair]:
    """Pairs of a lesion."""
    return [p for p in outcome.concordance.relations.pairs if p.lesion_id == found.lesion.lesion_id]


def print_reasons(outcomes: list[Outcome], verbose: bool) -> None:
    """Reasons of missed lesions that count against the cause in their recipe."""
    rows = [(o, f, t) for o, f, t in _lesion_rows(outcomes) if f.reason and t.kind.counts]
    table(
        "reason of missed lesions",
        Counter((true_reason(o, f, t), str(f.reason)) for o, f, t in rows),
    )
    right = [row for row in rows if true_reason(*row) == row[1].reason]
    decided = [row for row in rows if is_decided(*row)]
    both = [row for row in right if is_decided(*row)]
    print("reason right:", _share(len(right), len(rows)))
    print("   where half a millimetre or the noise of a voxel does not change it:", end=" ")
    print(_share(len(both), len(decided)))
    for o, f, t in rows if verbose else []:
        if true_reason(o, f, t) != f.reason:
            print(
                f"   seed {o.study.seed} {t.lesion_id} {true_reason(o, f, t)} -> {f.reason} "
                f"{'' if is_decided(o, f, t) else 'undecided '}"
                f"d {t.diameter_mm:.1f} T/L {t.tumour_to_liver:.2f} CNR {t.contrast_to_noise:.1f} "
                f"RC {t.recovery:.2f} cov {o.study.recipe.liver_cov:.2f} {f.evidence}"
            )
    alone = [(o, f) for o in outcomes for f in o.concordance.foci if f.reason]
    table(
        "reason of foci without a lesion that counts",
        Counter((true_cause(o, f), str(f.reason)) for o, f in alone),
    )


def print_cells(outcomes: list[Outcome], verbose: bool) -> None:
    """Cells of studies against the truth."""
    table("cell", Counter((str(o.study.truth.cell), str(o.calls.cell)) for o in outcomes))
    failed = [o for o in outcomes if not o.study.registration.passed and o.calls.cell is None]
    print(f"uncertain because the registration failed: {len(failed)}")
    sure = [o for o in outcomes if o.study.truth.cell is not None and o not in failed]
    right = [o for o in sure if o.calls.cell == o.study.truth.cell]
    print("cell right where the truth is certain:", _share(len(right), len(sure)))
    print(f"   as the closed form expects: {np.mean([_cell_chance(o.study) for o in sure]):.1%}")
    for o in sure if verbose else []:
        if o not in right:
            print(
                f"   seed {o.study.seed} {o.study.truth.cell} -> {o.calls.cell}: {o.calls.why} "
                f"passed {o.study.registration.passed} "
                f"z {[round(f.focus.z, 1) for f in o.concordance.foci]} "
                f"spots {[s.place.value for s in o.study.truth.spots]} "
                f"cnr {[round(t.contrast_to_noise, 1) for t in o.study.truth.lesions]}"
            )


def _cell_chance(study: Study) -> float:
    """Chance of the true cell where nothing is found but what is there."""
    missed = float(np.prod([1.0 - _predicted(study, row) for row in study.truth.lesions]))
    match study.truth.cell:
        case "TP" | "FP":
            return 1.0 if study.truth.spots else 1.0 - missed
        case "FN":
            return missed
        case _:
            return 1.0


def print_calibration(outcomes: list[Outcome]) -> None:
    """null_p at lesion-free places should be uniform."""
    values = np.array([p for o in outcomes for p in o.null_p])
    if not len(values):
        return
    print(
        f"\nnull_p at {len(values)} lesion-free places: KS p {kstest(values, 'uniform').pvalue:.3f}"
    )
    for level in (0.01, 0.02, 0.05, 0.10, 0.25, 0.50):
        print(f"   at or below {level:.2f}: {np.mean(values <= level):.3f}")


def print_sensitivity(outcomes: list[Outcome]) -> None:
    """Share of metastases found, by size, beside the closed form's prediction."""
    rows = [(o, f, t) for o, f, t in _lesion_rows(outcomes) if t.kind.counts]
    deep = [row for row in rows if not _is_subcapsular(row[2])]
    for title, part in (("sensitivity by size", rows), ("away from the capsule", deep)):
        print(f"\n{title}\n{'mm':>10}{'n':>6}{'found':>8}{'predicted':>11}{'difference':>12}")
        for low, high in pairwise(SIZES):
            _print_bin(low, high, [row for row in part if low <= row[2].diameter_mm < high])


def _print_bin(
    low: float, high: float, part: list[tuple[Outcome, LesionFinding, LesionTruth]]
) -> None:
    if not part:
        return
    found = float(np.mean([f.status == "positive" for _, f, _ in part]))
    expected = float(np.mean([_predicted(o.study, t) for o, _, t in part]))
    print(
        f"{low:4.0f} -{high:4.0f}{len(part):>6}{found:>8.1%}{expected:>11.1%}"
        f"{found - expected:>+12.1%}"
    )


def _is_subcapsular(row: LesionTruth) -> bool:
    return row.capsule_distance_mm <= PROTOCOL.flags.subcapsular_mm


def _predicted(study: Study, row: LesionTruth) -> float:
    """Beside the capsule less what the cold outside takes, as the reasons have it."""
    rules, blur, cnr = PROTOCOL.detectability, blur_of(study), row.contrast_to_noise
    if _is_subcapsular(row):
        depth_mm = row.capsule_distance_mm + row.diameter_mm / 2.0
        deficit = edge_deficit(depth_mm, rules.outside_ratio, blur.fwhm_mm)
        cnr -= deficit / study.recipe.liver_cov
        rules = replace(rules, unprompted_cnr=rules.unprompted_cnr + rules.edge_cnr)
    return detection_probability(cnr, row.diameter_mm, blur, rules=rules)


def print_stability(outcomes: list[Outcome]) -> None:
    """Whether a registration off by what it says it may be would have related the same."""
    pairs = [(o, p) for o in outcomes for p in o.concordance.relations.pairs if p.relation]
    held = [sum(p.focus_id in r.foci_of(p.lesion_id) for r in o.jittered) for o, p in pairs]
    times = sum(len(o.jittered) for o, _ in pairs)
    print("\nrelations held under the stated error:", _share(sum(held), times))
    lost = [p for (o, p), n in zip(pairs, held, strict=True) if n < len(o.jittered)]
    print(
        "   of those that broke, called ambiguous:",
        _share(sum(p.is_ambiguous for p in lost), len(lost)),
    )
    statuses = [
        (f.status == "positive") == bool(jittered.foci_of(f.lesion.lesion_id))
        for o in outcomes
        for f in o.concordance.lesions
        for jittered in o.jittered
    ]
    print("   positive or not, held:", _share(sum(statuses), len(statuses)))


def print_landmarks(outcomes: list[Outcome]) -> None:
    """What landmarks do to the places of lesions, all and small."""
    used = [o for o in outcomes if o.agreement.applies]
    print(f"\nlandmarks apply in {_share(len(used), len(outcomes))} of studies")
    for name, limit in (("all lesions", 1e9), ("below 10 mm", 10.0)):
        keep = [np.array([c.lesion.long_axis_mm < limit for c in o.carried], bool) for o in used]
        before = np.concatenate([o.before_mm[k] for o, k in zip(used, keep, strict=True)] or [[]])
        after = np.concatenate([o.after_mm[k] for o, k in zip(used, keep, strict=True)] or [[]])
        bound = [
            c.error_mm
            for o, k in zip(used, keep, strict=True)
            for c, b in zip(o.carried, k, strict=True)
            if b
        ]
        if len(before):
            print(
                f"   {name} ({len(before)}): "
                f"mean error {before.mean():.2f} -> {after.mean():.2f} mm, "
                f"95 % {np.quantile(before, 0.95):.2f} -> {np.quantile(after, 0.95):.2f} mm; "
                f"within the stated bound {np.mean(after <= np.array(bound)):.1%}"
            )


def print_crowds(crowds: list[Crowd]) -> None:
    """Relations of neighbours 8 to 15 mm apart, by a registration that is off by 4 to 8 mm."""
    print(f"\nconfluent lesions ({len(crowds)} studies), the registration off by 4 to 8 mm")
    apart = np.concatenate([crowd.apart_mm for crowd in crowds])
    quartiles = np.quantile(apart, [0.25, 0.5, 0.75])
    print("   nearest neighbour, quartiles: " + ", ".join(f"{mm:.1f}" for mm in quartiles) + " mm")
    for name in ("by the registration alone", "after landmarks"):
        for is_ambiguous in (False, True):
            found = [r for c in crowds for r in c.related[name] if r.is_ambiguous == is_ambiguous]
            right = sum(r.is_right for r in found)
            flips = sum(r.is_replaced for r in found)
            print(
                f"   {name}, {'ambiguous' if is_ambiguous else 'clear'}: "
                f"the true pair {_share(right, len(found))}, another instead {flips}"
            )


def print_strangers(outcomes: list[Outcome]) -> None:
    """How often matched lesions clear a doubtful registration, rightly and wrongly."""
    found = put_together(outcomes)
    print("\na doubtful registration, where lesions and findings are three or more")
    for is_one, name in ((True, "of one patient"), (False, "of two patients")):
        some = [put for put in found if put.is_one_patient == is_one]
        matched = _share(sum(put.matched >= LEAST for put in some), len(some))
        cleared = _share(sum(put.is_cleared for put in some), len(some))
        print(f"   {name}: three matched {matched}, cleared {cleared}")


def main() -> None:
    """Run the cohort and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400)
    parser.add_argument("--first-seed", type=int, default=5000)
    parser.add_argument("--cache", type=Path, default=Path("bench-cache"))
    parser.add_argument("--crowds", type=int, default=20, help="studies of confluent lesions")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    seeds = range(options.first_seed, options.first_seed + options.studies)
    with get_context("fork").Pool(options.workers) as pool:
        outcomes = pool.map(partial(outcome_of, cache=options.cache), seeds, chunksize=1)
        crowds = pool.map(crowd_of, seeds[: options.crowds], chunksize=1)
    print(f"{len(outcomes)} studies, {sum(len(o.carried) for o in outcomes)} lesions")
    print_status(outcomes, options.verbose)
    print_reasons(outcomes, options.verbose)
    print_cells(outcomes, options.verbose)
    print_calibration(outcomes)
    print_sensitivity(outcomes)
    print_stability(outcomes)
    if crowds:
        print_crowds(crowds)
    print_strangers(outcomes)
    print_landmarks(outcomes)
    seconds = [o.seconds for o in outcomes]
    print(
        f"\nprocessor seconds a study, foci included: median {np.median(seconds):.2f}, "
        f"most {max(seconds):.2f}"
    )
    of_many = run(crowded(options.first_seed, 60)).seconds
    print(f"processor seconds for one of 60 lesions: {of_many:.2f}")


if __name__ == "__main__":
    main()
