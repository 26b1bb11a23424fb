"""Unsaved rules: the difference between a recipe and what the Filters page shows.

A draft says, for a source, for all sources (`*`) or for a source in one phase (PHASE/SOURCE), which
rule stands on which key, or that none does. Rules that it does not mention stay as they are. `*`
sets the recipe's own rule and with it the rule of every source; what is said of a source comes
after it and wins. `lab.ui.draft_text` writes a draft as one line of text and reads it back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lab.core.errors import ConfigError
from lab.curation.filters.rule import Rule
from lab.mixture.overrides import effective, own_part
from lab.mixture.recipe import Phase, Recipe

ALL = "*"
Bounds = tuple[float | None, float | None]
Changes = Mapping[str, Rule | None]  # by Rule.key; None: no such rule


@dataclass(frozen=True, slots=True)
class Draft:
    """Changes and new orders of rules, by scope: a source, ALL, or PHASE/SOURCE."""

    changes: Mapping[str, Changes] = field(default_factory=dict)
    orders: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self.changes.values())) + len(self.orders)

    def with_change(self, scope: str, key: str, rule: Rule | None) -> "Draft":
        """The draft with one more change; the last one on a key counts."""
        changes = {**self.changes, scope: {**self.changes.get(scope, {}), key: rule}}
        return replace(self, changes=changes)

    def without(self, scope: str, key: str) -> "Draft":
        """The draft without a change."""
        left = {k: v for k, v in self.changes.get(scope, {}).items() if k != key}
        changes = {s: c for s, c in {**self.changes, scope: left}.items() if c}
        return replace(self, changes=changes)

    def with_order(self, scope: str, order: Sequence[int]) -> "Draft":
        """The draft with the rules of `scope` in another order; the old order is no change."""
        orders = {s: o for s, o in self.orders.items() if s != scope}
        if list(order) != sorted(order):
            orders[scope] = tuple(order)
        return replace(self, orders=orders)


def apply_changes(rules: Sequence[Rule], changes: Changes) -> tuple[Rule, ...]:
    """`rules` with the changes; a key that changes has one rule, at its old place."""
    changed: list[Rule | None] = []
    done: set[str] = set()
    for rule in rules:
        if rule.key not in changes:
            changed.append(rule)
        elif rule.key not in done:
            done.add(rule.key)
            changed.append(changes[rule.key])
    changed += [rule for key, rule in changes.items() if key not in done]
    return tuple(rule for rule in changed if rule is not None)


def reordered(rules: Sequence[Rule], order: Sequence[int]) -> tuple[Rule, ...]:
    """`rules` at old places `order`; places that are not there are skipped, the rest follows."""
    first = [i for i in order if i < len(rules)]
    return tuple(rules[i] for i in [*first, *(i for i in range(len(rules)) if i not in first)])


def changes_between(old: Sequence[Rule], new: Sequence[Rule]) -> dict[str, Rule | None]:
    """The changes that turn `old` into `new`, but for the order; of several rules on one key in
    `new` the tightest bounds.
    """
    keys = dict.fromkeys(rule.key for rule in (*old, *new))
    merged = {key: (rule_of(old, key), rule_of(new, key)) for key in keys}
    return {key: after for key, (before, after) in merged.items() if before != after}


def rule_of(rules: Sequence[Rule], key: str) -> Rule | None:
    """The one rule that says what `rules` say on `key`; None if they say nothing."""
    own = [rule for rule in rules if rule.key == key]
    if len(own) < 2 or not all(rule.bounded for rule in own):
        return own[-1] if own else None
    low, high = bounds_of(own, key)
    return replace(own[0], min=low, max=high)


def bounds_of(rules: Sequence[Rule], signal: str) -> Bounds:
    """The tightest numbers that `rules` put on `signal`; percentiles do not count."""
    lows = [r.min for r in rules if r.signal == signal and r.min is not None]
    highs = [r.max for r in rules if r.signal == signal and r.max is not None]
    return (max(lows) if lows else None, min(highs) if highs else None)


def drafted_recipe(recipe: Recipe, draft: Draft) -> Recipe:
    """The recipe with all unsaved changes in place. ConfigError for a scope it does not have."""
    check_scopes(recipe, draft)
    shared = draft.changes.get(ALL, {})
    filters = apply_changes(recipe.filters, shared)
    sources = {}
    for name, rules in recipe.sources.items():
        own, off = own_part(recipe.filters, rules)
        own = tuple(rule for rule in own if rule.key not in shared)
        followed = effective(filters, own, [key for key in off if key not in shared])
        sources[name] = scoped(followed if shared else rules, draft, name)
    mixture = replace(
        recipe.mixture, phases=tuple(drafted_phase(p, draft) for p in recipe.mixture.phases)
    )
    return replace(recipe, filters=filters, sources=sources, mixture=mixture)


def scoped(rules: Sequence[Rule], draft: Draft, scope: str) -> tuple[Rule, ...]:
    """`rules` with the changes and the order of one scope."""
    changed = apply_changes(rules, draft.changes.get(scope, {}))
    return reordered(changed, draft.orders.get(scope, ()))


def drafted_phase(phase: Phase, draft: Draft) -> Phase:
    """A phase with the changes of its own rules."""
    names = dict.fromkeys((*phase.filters, *(s for s in phase.weights)))
    rules = {n: scoped(phase.filters.get(n, ()), draft, phase_scope(phase.name, n)) for n in names}
    return replace(phase, filters={n: r for n, r in rules.items() if r})


def phase_scope(phase: str, source: str) -> str:
    """How a draft names the extra rules of a phase for a source."""
    return f"{phase}/{source}"


def scopes_of(recipe: Recipe) -> list[str]:
    """Whom a draft of the recipe can speak of: sources, ALL, phases with their sources."""
    phases = [phase_scope(p.name, s) for p in recipe.mixture.phases for s in p.weights]
    return [*recipe.sources, ALL, *(phases if len(recipe.mixture.phases) > 1 else ())]


def scope_rules(recipe: Recipe, scope: str) -> tuple[Rule, ...]:
    """The rules that a change of `scope` changes."""
    if scope == ALL:
        return recipe.filters
    phase, slash, source = scope.partition("/")
    if not slash:
        return recipe.sources[scope]
    return next(p.filters.get(source, ()) for p in recipe.mixture.phases if p.name == phase)


def check_scopes(recipe: Recipe, draft: Draft) -> None:
    """ConfigError if the draft speaks of something that the recipe does not have."""
    known = scopes_of(recipe)
    for scope in (*draft.changes, *draft.orders):
        if scope not in known:
            raise ConfigError(
                "These unsaved changes are for a source that the recipe does not have.",
                where="unsaved changes",
                value=scope,
                next_step=f"begin each change with one of {', '.join(known)}",
            )
