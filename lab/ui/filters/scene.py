"""What the page looks at: a recipe, its draft, and the rule in the hand, for whom it is moved.

The rest of the page asks a `Scene`: which sources, under which rules, before and after the draft.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl
import streamlit as st

from lab.core.errors import ArtifactMissing
from lab.core.workspace import Workspace
from lab.curation.filters.rule import Rule
from lab.mixture.recipe import Phase, Recipe
from lab.ui.cuts import ALL, Draft, rule_of, scope_rules
from lab.ui.filters.cut_view import MOST_SOURCES, Line
from lab.ui.filters.evidence import Judged, columns_of, judged, names_of, stored


@dataclass(frozen=True, slots=True)
class Scene:
    """`scope` is a source, ALL or PHASE/SOURCE; `key` the rule (or the signal without one) that the
    page holds; `new` the recipe with the draft.
    """

    ws: Workspace
    saved: Recipe
    new: Recipe
    draft: Draft
    scope: str
    key: str
    found: dict[tuple[str, bool], Judged] = field(default_factory=dict, compare=False)

    @property
    def phase(self) -> Phase | None:
        """The phase whose extra rules are looked at."""
        name, slash, _ = self.scope.partition("/")
        return next((p for p in self.new.mixture.phases if slash and p.name == name), None)

    @property
    def sources(self) -> list[str]:
        """The sources that the rule in the hand speaks of."""
        return list(self.new.sources) if self.scope == ALL else [self.scope.rpartition("/")[2]]

    @property
    def rule(self) -> Rule | None:
        """The rule in the hand, as the draft has it; for all sources, what they agree on."""
        if self.scope == ALL:
            shared = rule_of(self.new.filters, self.key)
            found = {rule_of(self.new.sources[s], self.key) for s in self.new.sources}
            return shared or (found.pop() if len(found) == 1 else None)
        return rule_of(scope_rules(self.new, self.scope), self.key)

    def rules(self, recipe: Recipe, source: str) -> tuple[Rule, ...]:
        """The rules of a source in `recipe`, those of the phase looked at after its own."""
        own = recipe.sources.get(source, ())
        phases = [p for p in recipe.mixture.phases if self.phase and p.name == self.phase.name]
        return (*own, *(phases[0].filters.get(source, ()) if phases else ()))

    def after(self, source: str) -> Judged:
        """A source under the draft. Raises ArtifactMissing."""
        return self.judged(source, self.new)

    def before(self, source: str) -> Judged:
        """A source under the saved recipe. Raises ArtifactMissing."""
        return self.judged(source, self.saved)

    def judged(self, source: str, recipe: Recipe) -> Judged:
        """A source under a recipe, looked up once in a run of the page."""
        place = (source, recipe is self.new)
        if place not in self.found:
            rules = self.rules(recipe, source)
            self.found[place] = judged(self.ws, recipe, source, rules)
        return self.found[place]

    def draws(self, source: str) -> float:
        """Tokens that the mixture draws from a source, in the phase looked at or in all."""
        mixture, phase = self.new.mixture, self.phase
        if phase is not None:
            return mixture.tokens * phase.share * phase.weights.get(source, 0.0)
        return mixture.tokens * self.new.average_weights().get(source, 0.0)

    def moves(self, source: str) -> bool:
        """True if the rule in the hand is the one that decides about `source`."""
        overridden = self.scope == ALL and self.key in self.draft.changes.get(source, {})
        return source in self.sources and not overridden


def lines_of(scene: Scene, reference: str = "") -> tuple[list[Line], list[str]]:
    """Rows of the picture, those that move first, and the sources that have no such column."""
    names = scene.sources if scene.phase else list(scene.new.sources)
    names = sorted(names, key=lambda name: (not scene.moves(name), names.index(name)))
    lines, missing = [], []
    for name in names[:MOST_SOURCES]:
        try:
            found = scene.after(name)
            stored(scene.ws, scene.new, name, [scene.key])
        except ArtifactMissing:
            missing.append(name)
            continue
        lines.append(Line(found, scene.moves(name), scene.draws(name)))
    if reference and reference not in [line.judged.pool.source for line in lines]:
        rule = [scene.rule] if scene.rule and scene.rule.resolved() else []
        lines.append(Line(judged(scene.ws, scene.new, reference, rule), True, None))
    return lines, missing


def choices(ws: Workspace, recipe: Recipe, scope: str) -> list[str]:
    """Keys of the scope's rules, the one that drops the most tokens first, then other columns."""
    source = next(iter(recipe.sources)) if scope == ALL else scope.rpartition("/")[2]
    rules: Sequence[Rule] = (
        [rule for own in recipe.sources.values() for rule in own]
        if scope == ALL
        else scope_rules(recipe, scope)
    )
    keys = list(dict.fromkeys(rule.key for rule in rules))
    tokens = dropped_tokens(ws, recipe, list(recipe.sources) if scope == ALL else [source])
    keys.sort(key=lambda key: -tokens.get(key, 0))
    return [*keys, *(name for name in names_of(ws, source) if name not in keys)]


def dropped_tokens(ws: Workspace, recipe: Recipe, sources: Sequence[str]) -> dict[str, int]:
    """Tokens that fail each rule of `recipe`, by key; sources not measured count nothing."""
    total: dict[str, int] = {}
    for source in sources:
        try:
            found = judged(ws, recipe, source, recipe.sources[source])
        except ArtifactMissing:
            continue
        for key, amount in dropped_by(found, found.key).items():
            total[key] = total.get(key, 0) + amount
    return total


@st.cache_data(max_entries=64, show_spinner=False)
def dropped_by(_found: Judged, key: str) -> dict[str, int]:
    """Tokens that fail each rule of one source, by the rule's key."""
    tokens = _found.account.by_rule()["any_tokens"].to_list()
    return {rule.key: int(n) for rule, n in zip(_found.rules, tokens, strict=True)}


def values_of(scene: Scene) -> pl.Series:
    """The column in the hand, of the training documents of the first source that it speaks of."""
    return columns_of(scene.ws, scene.new, scene.sources[0], [scene.key])[scene.key]
