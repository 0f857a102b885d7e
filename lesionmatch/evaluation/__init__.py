"""From tables of calls to what they say of accuracy: reading, counting, assembling.

`reading` takes a batch's output or readers' tables, `assemble` makes an `AccuracyReport`
of them with the statistics of `lesionmatch.accuracy`, and `record` and `tables` lay it out
as JSON and as CSV. Nothing here draws; pages and figures are the report's.
"""
