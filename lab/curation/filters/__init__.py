"""Filters: what a rule may say, how it is read and checked, and which documents fail which rule.

`rule` (the value), `parsing` (from a recipe), `expressions` (the `where` language), `measured` (is
there a number for every document), `mask` (the verdicts), `warnings` (rules that do nothing).
"""
