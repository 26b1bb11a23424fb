"""The same tokens of every source in one phase: what a curriculum's order is worth.

A run in phases differs from another recipe in two ways at once, in how much of each source it reads
and in when. Its twin with one phase reads as much of each source,

    w_i = sum_k share_k w_ik        tokens_i = w_i R in both

so between the two only the order differs, and between the twin and a third recipe only the mixture.

Where it fails: a filter that only some phases have is no matter of order. It is left out, so per
source the tokens are equal, but not per document, and the difference holds the filter's effect too;
the recipe's note says so.
"""

from dataclasses import replace

from lab.mixture.recipe import NAME_LENGTH, Phase, Recipe

TWIN = "-one-phase"


def matched_exposure(recipe: Recipe) -> Recipe:
    """The recipe with one phase that reads as many tokens of every source; `NAME-one-phase`.

    Filters of a source are kept where all phases that draw it have the same.
    """
    phases = recipe.mixture.phases
    weights = {name: weight for name, weight in recipe.average_weights().items() if weight > 0}
    filters, left_out = {}, []
    for name in weights:
        drawn = [phase.filters.get(name, ()) for phase in phases if phase.weights.get(name, 0.0)]
        if any(rules != drawn[0] for rules in drawn):
            left_out.append(name)
        elif drawn[0]:
            filters[name] = drawn[0]
    total = sum(weights.values())
    phase = Phase("all", 1.0, {n: w / total for n, w in weights.items()}, filters)
    return replace(
        recipe,
        name=recipe.name[: NAME_LENGTH - len(TWIN)] + TWIN,
        mixture=replace(recipe.mixture, phases=(phase,)),
        note=twin_note(recipe.name, left_out),
    )


def twin_note(name: str, left_out: list[str]) -> str:
    """Where a twin comes from, and what of the original it could not keep."""
    note = (
        f"As many tokens of every source as {name!r}, in one phase: what separates the two is the "
        "order."
    )
    if left_out:
        note += (
            f" Filters that only some phases put on {', '.join(left_out)} are left out, so the "
            "difference holds their effect too."
        )
    return note
