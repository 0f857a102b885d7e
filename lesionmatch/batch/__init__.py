"""Many studies: a table of pairs in, a folder of results out, and no work lost.

`table` reads STUDIES.csv, `ledger` knows what is finished, `worker` runs one study in a
process of its own, `tables` gathers the results, `run` joins them.
"""
