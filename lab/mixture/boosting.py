"""Showing some documents more often, or never: what a recipe makes of a tag.

More often is a last phase that draws only from them.

A recipe weighs sources, not parts of them, so "this cluster twice as often" cannot be said within a
phase: a pool has one weight. What can be said exactly is a phase whose rules keep only documents
with a tag and whose weights follow the tokens they have, so that every tagged token is seen equally
often. The other phases shrink in proportion, so the budget stays. It comes last: text of a late
phase counts for more than the same text early (annealing, e.g. Blakeney et al. 2024,
arXiv:2406.03476), which makes it a stronger boost than the same weight throughout. Where order must
not matter, take the documents out of Browse and add them as a source of their own.
"""

from collections.abc import Mapping
from dataclasses import replace

from lab.core.errors import ConfigError
from lab.curation.filters.rule import Rule
from lab.mixture.recipe import Phase, Recipe


def boosted(recipe: Recipe, tag: str, tokens: Mapping[str, float], share: float) -> Recipe:
    """`recipe` with a last phase of `share` of all tokens, from the documents tagged `tag` alone.

    `tokens` are those of the tagged documents that the recipe keeps, by source. A phase of the same
    tag is replaced. Raises ConfigError where there is nothing to draw from, or no room for the
    rest.
    """
    held = {name: amount for name, amount in tokens.items() if amount > 0}
    if not held or not 0 < share < 1:
        raise ConfigError(
            "The recipe keeps none of the selected documents."
            if not held
            else "A boost takes a share between 0 and 1.",
            where=f"recipe {recipe.name}",
            value=share,
            next_step="choose a recipe that uses their sources and does not drop them"
            if not held
            else "0.1 is a tenth of all training tokens",
        )
    name = f"boost-{tag}"
    others = [phase for phase in recipe.mixture.phases if phase.name != name]
    total = sum(phase.share for phase in others)
    if not others:
        raise ConfigError("The recipe has no other phase to take tokens from.", value=name)
    rule = Rule(f"tags.{tag}", values=(True,))
    whole = sum(held.values())
    extra = Phase(
        name,
        share,
        {source: amount / whole for source, amount in held.items()},
        dict.fromkeys(held, (rule,)),
    )
    shrunk = (replace(phase, share=phase.share / total * (1 - share)) for phase in others)
    return replace(recipe, mixture=replace(recipe.mixture, phases=(*shrunk, extra)))


def leaving_out(recipe: Recipe, tag: str) -> Recipe:
    """`recipe` with a rule on every source that drops the documents tagged `tag`."""
    rule = Rule(f"tags.{tag}", not_values=(True,))
    sources = {
        name: rules if rule in rules else (*rules, rule) for name, rules in recipe.sources.items()
    }
    shared = recipe.filters if rule in recipe.filters else (*recipe.filters, rule)
    return replace(recipe, sources=sources, filters=shared)


def boost_epochs(recipe: Recipe, tokens: Mapping[str, float], share: float) -> float:
    """How often the phase alone would show each tagged document."""
    held = sum(tokens.values())
    return share * recipe.mixture.tokens / held if held else float("inf")


def most_share(recipe: Recipe, tokens: Mapping[str, float]) -> float:
    """The largest share at which the phase alone stays within the recipe's repeat cap."""
    return sum(tokens.values()) * recipe.mixture.repeat_cap / recipe.mixture.tokens
