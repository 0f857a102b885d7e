"""How long a simulated study takes: `python scripts/bench phantom [SIZE] [STUDIES]`."""

import argparse
import resource
import time

import numpy as np

from lesionmatch.phantom import Size, simulate, typical_recipe


def main() -> None:
    """Simulate typical studies of one size; print processor seconds a study and peak memory."""
    wanted = argparse.ArgumentParser(prog="bench phantom", description=__doc__)
    wanted.add_argument("size", choices=[size.value for size in Size], nargs="?", default="small")
    wanted.add_argument("studies", type=int, nargs="?", default=20)
    options = wanted.parse_args()
    seconds = []
    for seed in range(options.studies):
        start = time.process_time()
        simulate(typical_recipe(seed, size=Size(options.size)))
        seconds.append(time.process_time() - start)
    low, middle, high = np.percentile(seconds, [10, 50, 90])
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{options.size}: {options.studies} studies, {middle:.2f} s each "
        f"(10-90 %: {low:.2f}-{high:.2f}), of one processor"
    )
    print(f"peak memory {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
