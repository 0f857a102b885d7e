"""How long a simulated study takes: `python scripts/bench phantom [SIZE] [STUDIES]`."""

import resource
import sys
import time

import numpy as np

from lesionmatch.phantom import Size, simulate, typical_recipe


def main() -> None:
    """Simulate typical studies of one size; print processor seconds a study and peak memory."""
    size = Size(sys.argv[1]) if len(sys.argv) > 1 else Size.SMALL
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    seconds = []
    for seed in range(count):
        start = time.process_time()
        simulate(typical_recipe(seed, size=size))
        seconds.append(time.process_time() - start)
    low, middle, high = np.percentile(seconds, [10, 50, 90])
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{size.value}: {count} studies, {middle:.2f} s each (10-90 %: {low:.2f}-{high:.2f}), "
        "of one processor"
    )
    print(f"peak memory {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
