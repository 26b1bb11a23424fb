"""From the workspace's runs and a recipe to stored advice: one path for page, terminal and worker.

The natural mixture and the caps are the recipe's: unique tokens that its rules leave of each
source, and its budget and repeat cap.
"""

from lab.advice.advise import Advice, advise
from lab.advice.evidence import tables_from_runs
from lab.advice.fit import Fit, fit_table
from lab.advice.simplex import supply_caps
from lab.advice.store import save
from lab.advice.swarm import unique_tokens
from lab.core.workspace import Workspace
from lab.mixture.recipe_files import load_recipe


def fit_runs(ws: Workspace, metric: str | None = None) -> Fit:
    """The fit of all comparable runs to `metric`, by default to all in bits per byte."""
    found = tables_from_runs(ws)
    only = (metric,) if metric else found.default
    return fit_table(found.ratios, found.metrics, higher=found.higher, only=only)


def advise_from_runs(ws: Workspace, recipe: str, metric: str | None = None) -> tuple[Fit, Advice]:
    """A fit and the advice for `recipe`, stored as the workspace's latest.

    Raises DataError or ConfigError if the runs are too few or too alike, or if no mixture fits the
    recipe's caps.
    """
    base = load_recipe(ws, recipe)
    fit = fit_runs(ws, metric)
    natural = unique_tokens(ws, base)
    caps = supply_caps(natural, base.mixture.tokens, base.mixture.repeat_cap)
    advice = advise(fit, natural, caps=caps)
    save(ws, fit, advice)
    return fit, advice
