"""Advice on a recipe from the workspace's runs: the one path of page, terminal and worker.

The natural mixture, the supply and the repeat cap are the recipe's: unique tokens that its rules
leave of each source, and its budget. Repetition counts in the objective unless the runs have paid
for it already, which is read from what they saw (`lab.advice.proposing.repeated`). All metrics in
bits per byte that passed the signal gate are fitted, also where one is asked for: a proposal says
what it does to the others.
"""

from collections.abc import Sequence
from dataclasses import replace

from lab.advice.design.swarm import unique_tokens
from lab.advice.evidence.evidence import Evidence, tables_from_runs
from lab.advice.fitting.fit import Fit, fit_table
from lab.advice.optimising.guards import Guard
from lab.advice.optimising.optimise import KL_PATH
from lab.advice.optimising.settings import comparable
from lab.advice.optimising.supply import Supply, supply_of
from lab.advice.proposing.advise import KL, Advice, advise
from lab.advice.proposing.from_runs import admitted, foreseeable
from lab.advice.proposing.live import keep_replicates
from lab.advice.proposing.places import places_of
from lab.advice.proposing.repeated import read_specs, repetition_words, wear_of
from lab.advice.proposing.request import Request
from lab.advice.proposing.store import save
from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.corpus.tokenizer import tokenizer_facts
from lab.evaluation.gate.gate import gate
from lab.mixture.recipe import Recipe
from lab.mixture.recipe_files import load_recipe


def advise_from_runs(
    ws: Workspace, recipe: str, request: Request | None = None
) -> tuple[Fit, Advice]:
    """A fit and the advice for `recipe`, stored as the workspace's latest.

    The target is by default the mean of the fitted metrics in bits per byte, without those that no
    law predicts. Raises DataError or ConfigError if the runs are too few, too alike or stale, for a
    named metric that failed the signal gate, or if no mixture fits the caps.
    """
    asked = request or Request()
    base = load_recipe(ws, recipe)
    found = tables_from_runs(ws, recipe=base)
    fit = fit_asked(ws, found, asked.metrics)
    natural = unique_tokens(ws, base)
    supply, said = supply_for(ws, base, fit, natural)
    kl = KL if asked.kl is None else asked.kl
    advice = advise(
        fit,
        natural,
        caps=asked.caps,
        targets=asked.targets or default_targets(fit, found.default),
        kl=kl,
        path=sorted({*KL_PATH, kl}),
        supply=supply,
        guards=[Guard(name, "natural", epsilon) for name, epsilon in asked.guards.items()],
        current=asked.current or comparable(fit, base.average_weights()),
        groups=asked.groups or None,
        replicates=keep_replicates(ws, fit),
        places=places_of(ws, words_of(ws, base), found.size, found.tokens, asked.sizes),
    )
    advice = replace(advice, asked=asked, notes=(*advice.notes, *said))
    save(ws, fit, advice, base)
    return fit, advice


def words_of(ws: Workspace, recipe: Recipe) -> int:
    """Tokens in the vocabulary of the recipe's tokenizer."""
    return tokenizer_facts(ws, recipe.tokenizer).vocab_size


def fit_asked(ws: Workspace, found: Evidence, named: Sequence[str] = ()) -> Fit:
    """The fit to `named` metrics and to all by default that did not fail the signal gate."""
    judged = gate(ws, size=found.size, tokens=found.tokens)
    kept, notes = admitted(judged, named or found.default, named=bool(named))
    rows = {f"{r.metric.scope}/{r.metric.on}/{r.metric.metric}": r for r in judged.rows}
    rest = [name for name in found.default if name not in rows or not rows[name].failed]
    known = [name for name in found.metrics.columns if name in {*kept, *rest}]
    only = tuple(dict.fromkeys([*known, *kept]))  # as measured, then those that nobody measured
    fit = fit_table(found.ratios, found.metrics, higher=found.higher, only=only)
    return replace(fit, notes=(*fit.notes, *found.notes, *notes))


def default_targets(fit: Fit, usual: Sequence[str]) -> list[str]:
    """Of the `usual` metrics those that a law predicts; all that were fitted if none is."""
    fitted = [name for name in fit.metrics if name in usual]
    return [name for name in foreseeable(fit) if name in usual] or fitted


def supply_for(
    ws: Workspace, recipe: Recipe, fit: Fit, unique: dict[str, float]
) -> tuple[Supply, list[str]]:
    """The recipe's supply, with repetition in the objective unless the runs carry it; and notes.

    ConfigError if a fitted source has no text left under the recipe's rules at all.
    """
    budget = float(recipe.mixture.tokens)
    worn = wear_of(read_specs(ws.runs, fit.runs), budget)
    if not any(unique.get(name, 0) > 0 for name in fit.sources):
        raise ConfigError(
            "The recipe leaves no text of any source that was in runs.",
            where=recipe.name,
            next_step="loosen its rules: the Filters page shows what each takes",
        )
    cap = recipe.mixture.repeat_cap
    supply = supply_of(fit.sources, unique, budget, cap, matched=worn.matched)
    return supply, repetition_words(worn)
