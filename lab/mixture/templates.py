"""Templates: published shapes of a mixture, filled with the sources that are there.

    single                  one phase, every source at its natural share
    broad-then-sharpened    phi-3 (Abdin et al. 2024, arXiv:2404.14219)
    synthetic-throughout    phi-4 (Abdin et al. 2024, arXiv:2412.08905), shares of its table 5
    anneal-on-best          MiniCPM (Hu et al. 2024, arXiv:2404.06395)

A template sees a source's kind, its unique tokens and, where a quality score is stored for all
sources, that score's mean. It decides phases and weights, nothing else: rules, duplicates and
budget are those of the recipe it is applied to. Within a group of sources weights are natural, by
unique tokens. Its note says what the reports disclose and what is chosen here.

Where they fail: shares that suited trillions of tokens and other text say nothing about yours. They
are starting points to train against each other, at matched repetition (`lab.proxy.repetition`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from lab.core.errors import ConfigError, nearest
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.mixture.first_recipe import natural_recipe
from lab.mixture.material import Material, Weights, describe_material
from lab.mixture.recipe import Phase, Recipe
from lab.mixture.supply import measure_supply

MADE_UP = ("synthetic", "rewrite")  # kinds of source that a model has written
SHARP_SHARE = 0.3  # of all tokens in the second phase; chosen here, phi-3 says nothing
SHARP_SYNTHETIC = 0.3  # of that phase: "some synthetic data", no number
SHARP_PERCENTILE = 70.0  # the best 30 % by the score: "even more heavily filtered", no number
PHI4 = {  # arXiv:2412.08905, table 5, as passed on in secondary notes
    ("organic", "other"): 0.15,
    ("rewrite",): 0.15,
    ("synthetic",): 0.40,
    ("code",): 0.20,
    ("reference",): 0.10,
}
ANNEAL_SHARE = 0.1  # MiniCPM's rate decays over the last tenth of the tokens
BEST_KINDS = ("reference", "synthetic")  # taken for best where nothing is scored


@dataclass(frozen=True, slots=True)
class Template:
    """A shape: `make` gives phases and, in words, what it had to decide for these sources."""

    name: str
    summary: str
    origin: str
    make: Callable[[Material], tuple[tuple[Phase, ...], str]]


def blend(*parts: tuple[float, Weights]) -> Weights:
    """Groups of sources at their shares, each split by its weights; an empty group falls out."""
    filled = [(share, group) for share, group in parts if group and share > 0]
    if not filled:
        raise ConfigError(
            "No source of the kinds that this template asks for has any text left.",
            next_step="another template, or state kinds: `mixlab add NAME PATH --kind KIND`",
        )
    whole = math.fsum(share for share, _ in filled)
    return {
        name: share / whole * weight / math.fsum(group.values())
        for share, group in filled
        for name, weight in group.items()
    }


def single(m: Material) -> tuple[tuple[Phase, ...], str]:
    """One phase at natural shares."""
    return (Phase("all", 1.0, blend((1.0, m.natural(m.tokens)))),), ""


def broad_then_sharpened(m: Material) -> tuple[tuple[Phase, ...], str]:
    """Text that people wrote; then the best of it, with synthetic text."""
    written = m.natural(n for n, kind in m.kinds.items() if kind not in MADE_UP)
    made_up = m.of(MADE_UP)
    rule = Rule(m.score, min_percentile=SHARP_PERCENTILE) if m.score else None
    filters = dict.fromkeys(written, (rule,)) if rule else {}
    sharp = blend((1 - SHARP_SYNTHETIC, written), (SHARP_SYNTHETIC, made_up))
    phases = (
        Phase("broad", 1 - SHARP_SHARE, blend((1.0, written))),
        Phase("sharpened", SHARP_SHARE, sharp, filters),
    )
    words = (
        f"Phase 2 keeps the best 30 % of each source by {m.score}."
        if m.score
        else "No quality score is stored for all sources, so phase 2 takes the same text as phase "
        "1: learn one (`mixlab score`) and apply the template again."
    )
    return phases, words if made_up else f"{words} There is no synthetic source: phase 2 has none."


def synthetic_throughout(m: Material) -> tuple[tuple[Phase, ...], str]:
    """One phase at phi-4's shares by kind."""
    groups = [(share, m.of(kinds), kinds[0]) for kinds, share in PHI4.items()]
    lacking = [kind for _, group, kind in groups if not group]
    words = f"No source is of kind {', '.join(lacking)}: the others fill in." if lacking else ""
    weights = blend(*((share, group) for share, group, _ in groups))
    return (Phase("all", 1.0, weights),), words


def anneal_on_best(m: Material) -> tuple[tuple[Phase, ...], str]:
    """Everything; then, for the last tenth, the sources of more than average quality."""
    everything = m.natural(m.tokens)
    if m.quality:
        whole = blend((1.0, everything))
        mean = math.fsum(weight * m.quality[name] for name, weight in whole.items())
        best = m.natural(n for n in everything if m.quality[n] > mean) or everything
        words = f"Best are sources whose mean {m.score} is above {mean:.3g}, that of all text: "
    else:
        best = m.of(BEST_KINDS)
        words = f"No score is stored for all sources; {' and '.join(BEST_KINDS)} pass for best: "
    phases = (
        Phase("stable", 1 - ANNEAL_SHARE, blend((1.0, everything))),
        Phase("anneal", ANNEAL_SHARE, blend((1.0, best))),
    )
    return phases, words + f"{', '.join(best)}."


TEMPLATES = {
    template.name: template
    for template in (
        Template(
            "single",
            "one phase, every source at its natural share",
            "No report: the baseline that every other mixture has to beat.",
            single,
        ),
        Template(
            "broad-then-sharpened",
            "mostly web; then a more heavily filtered subset of it with some synthetic text",
            "After phi-3 (2024, arXiv:2404.14219): two phases, the second of web text used in the "
            "first but filtered harder, and some synthetic text for reasoning and niche skills. "
            "No proportions are disclosed: 70 and 30 % of tokens, 30 % synthetic in phase 2 and "
            "the filter are chosen here.",
            broad_then_sharpened,
        ),
        Template(
            "synthetic-throughout",
            "synthetic text from the first step on, at phi-4's shares by kind",
            "After phi-4 (2024, arXiv:2412.08905, table 5; figures from secondary notes, "
            "unverified): web 15 %, web rewrites 15 %, synthetic 40 %, code 20 %, acquired 10 %, "
            "synthetic text seen 13.8 times. Shares within a kind are not disclosed and natural "
            "here. The report's synthetic-only ablation lost knowledge: watch it.",
            synthetic_throughout,
        ),
        Template(
            "anneal-on-best",
            "everything; then the last tenth of the tokens on the best sources",
            "After MiniCPM (2024, arXiv:2404.06395), which brings its best data into the decay of "
            "the learning rate, the last tenth of the tokens; OLMo 2 (2025, arXiv:2501.00656) does "
            "alike. Both mix the best with text of before, in shares of their own; here the last "
            "phase is the best alone.",
            anneal_on_best,
        ),
    )
}


def get_template(name: str) -> Template:
    """The template called `name`; ConfigError that names the nearest one."""
    if name not in TEMPLATES:
        raise ConfigError("Unknown template.", value=name, next_step=nearest(name, TEMPLATES))
    return TEMPLATES[name]


def apply_template(name: str, recipe: Recipe, material: Material) -> Recipe:
    """`recipe` with the phases of a template and a note on their origin; all else stays.

    Raises ConfigError for an unknown template, or if no source is of a kind it asks for.
    """
    template = get_template(name)
    phases, words = template.make(material)
    note = f"{template.origin} {words}".strip()
    return replace(recipe, mixture=replace(recipe.mixture, phases=phases), note=note)


def new_recipe(ws: Workspace, name: str, template: str, base: Recipe | None = None) -> Recipe:
    """Recipe `name` by a template, from `base` or else from all sources as they come.

    Not saved. Raises ConfigError as `apply_template`, and while tokens are not counted.
    """
    get_template(template)
    recipe = replace(base or natural_recipe(ws), name=name)
    material = describe_material(ws, recipe, measure_supply(ws, recipe))
    return apply_template(template, recipe, material)
