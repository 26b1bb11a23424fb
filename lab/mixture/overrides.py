"""Filters of the whole recipe, and what a source changes of them.

    filters: [{signal: gopher.word_count, min: 50}, {signal: c4.javascript_lines, max: 0}]
    sources:
      web: {}                                                       # both
      code: {filters: [{signal: c4.javascript_lines, off: true}]}   # the first
      books: {filters: [{signal: gopher.word_count, min: 500}]}     # the second, then its own

A source's rule on a signal (or with the same expression) replaces all rules of the recipe on it,
`off: true` takes them away, and what is left of the recipe's rules stands before the source's own.
A program holds the effective rules per source; `own_part` finds the shortest way to write them
down.
"""

from collections.abc import Iterable, Sequence

from lab.curation.filters.rule import Rule


def effective(shared: Sequence[Rule], own: Sequence[Rule], off: Iterable[str]) -> tuple[Rule, ...]:
    """The rules of a source: those of the recipe whose key it neither sets nor takes away, its own.

    `off` holds keys (`Rule.key`).
    """
    changed = {rule.key for rule in own} | set(off)
    return (*(rule for rule in shared if rule.key not in changed), *own)


def own_part(
    shared: Sequence[Rule], rules: Sequence[Rule]
) -> tuple[tuple[Rule, ...], tuple[str, ...]]:
    """(own rules, keys taken away) with which `effective` gives `rules`, as few as there can be."""
    for taken in range(len(rules) + 1):
        own = tuple(rules[len(rules) - taken :])
        kept = {rule.key for rule in rules}
        off = tuple(dict.fromkeys(rule.key for rule in shared if rule.key not in kept))
        if effective(shared, own, off) == tuple(rules):
            break
    return own, off
