"""Readers: every way text comes in, each as a stream of rows in bounded memory.

    locate   paths, globs, folders, `hf://` paths and hub ids -> data files, in a fixed order
    formats  what a file is, by its name, checked against its first bytes
    dispatch `read_rows(file, settings)` -> Row | BadRow, one reader a format:
             jsonl, delimited (CSV, TSV), parquet, text, saved (a datasets folder), hub

A reader never stops at a bad row: it yields a `BadRow` with the place and the reason and goes on.
It never holds more than one line, one batch of 256 rows or one buffer at a time.
"""
