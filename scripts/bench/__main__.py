"""``python scripts/bench NAME [options]``: run one of the slow studies beside this file."""

import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    """Run the study named first on the command line, or list them."""
    studies = sorted(path.stem for path in HERE.glob("[!_]*.py"))
    if len(sys.argv) < 2 or sys.argv[1] not in studies:
        sys.exit(f"usage: python scripts/bench NAME [options]; NAME is one of {', '.join(studies)}")
    sys.argv = sys.argv[1:]
    sys.path.insert(0, str(HERE))
    runpy.run_path(str(HERE / f"{sys.argv[0]}.py"), run_name="__main__")


if __name__ == "__main__":
    main()
