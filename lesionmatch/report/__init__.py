"""From what a comparison left on disk to tables, pictures and pages.

`render` makes a study's tables, pictures and page again; nothing here computes a result.
"""

from lesionmatch.report.study import render

__all__ = ["render"]
