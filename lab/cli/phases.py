"""`mixlab phases`: weights for every phase, from a recipe's runs or from two tables."""

import argparse
from collections.abc import Mapping
from typing import Any

import polars as pl

from lab.cli.act import act
from lab.cli.columns import fit_of_tables, keep, require_recipe
from lab.cli.show import Shown


def phases(options: argparse.Namespace) -> Shown:
    """Weights for every phase, from a recipe's runs or from tables with columns PHASE:SOURCE."""
    from lab.advice.order.answer import LIMITS, phased_recipe
    from lab.advice.order.store import advice_mapping, read_answer

    if options.ratios or options.metrics:
        advice, said = phases_of_tables(options)
        told, notes = advice_mapping(advice), [*said, *LIMITS]
        return Shown({"advice": told, "notes": notes}, *phase_words(told, notes))
    require_recipe(options)
    shown = act(options, "phases", recipe=options.recipe, metric=options.metric)
    if "advice" not in shown.data:
        return shown
    answer = read_answer(shown.data)
    saved = keep(options, lambda base, name: phased_recipe(base, answer, name))
    tables, said = phase_words(shown.data["advice"], shown.data["notes"])
    return Shown(shown.data | saved, tables, [*said, *saved.values()])


def phases_of_tables(options: argparse.Namespace) -> tuple[Any, list[str]]:
    """(advice, notes) from ratios with columns PHASE:SOURCE."""
    from lab.advice.optimising.phases import advise_phases, phases_of
    from lab.advice.proposing.advise import KL
    from lab.advice.proposing.interchange import read_shares

    fit = fit_of_tables(options)
    known = phases_of(fit)
    notes = list(fit.notes)
    if options.natural:
        natural = read_shares(options.natural)
    else:
        blocks = [fit.weights[:, list(block)].mean(axis=0) for block in known.columns]
        natural = dict(zip(known.sources, sum(blocks).tolist(), strict=True))
        notes.append("No natural mixture was given: the mean of the runs stands for it.")
    caps = read_shares(options.cap) if options.cap else None
    return advise_phases(
        fit, natural, caps=caps, kl=KL if options.kl is None else options.kl
    ), notes


def phase_words(
    advice: Mapping[str, Any], notes: list[str]
) -> tuple[list[tuple[str, pl.DataFrame]], list[str]]:
    """Weights by phase as a table, and what order is worth."""
    table = [
        {"phase": phase, "source": name, "weight": w["value"], "low": w["low"], "high": w["high"],
         "same in all": advice["tied"][name]}
        for phase, own in advice["weights"].items()
        for name, w in own.items()
    ]  # fmt: skip
    gain, order = advice["gain"], advice["order"]
    said = [
        f"order: {advice['verdict']} (odds that it beats one mixture for all phases: "
        f"{advice['p_order']:.2f}), worth {order['value']:.4g} [{order['low']:.4g}, "
        f"{order['high']:.4g}]",
        f"gain over natural: {gain['value']:.4g} [{gain['low']:.4g}, {gain['high']:.4g}] at "
        f"{gain['level']:.0%}",
    ]
    title = "Proposed weights of every phase, beside the best mixture that is the same in all"
    return [(title, pl.DataFrame(table))], [*said, *[f"note: {note}" for note in notes]]
