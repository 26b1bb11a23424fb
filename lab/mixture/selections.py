"""Selections in a recipe: which its rules read, and what has changed since each was made.

A selection (`selected.*`) is a decision about documents as they were: which were embedded, how they
scored, what the recipe's other rules kept. It stays as it is until it is made again, so a recipe
that uses it keeps meaning the same; but when what it was chosen from has changed, that is said
wherever it is shown (`comparing`), as runs on old pools are (`lab.advice.evidence.stale`). What is
compared: the ids of what was read, and of the recipe among whose documents was chosen, as it is
now, all that decides what it keeps of the source: its rules without those on selections, the values
they read, edits, the policies on duplicates and contamination with the searches and reviews that
they go by; and where copies are dropped, the same of its other sources, since the keeper of a copy
may be theirs. Not compared is what it keeps: that would be a pass over all documents for every
line. So a selection may be called stale that would come out the same; and where a new kind of
decision is not listed here, choosing again still sees it (`lab.diversity.selecting.stored`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, ConfigError, LabError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.attributes import contamination_matches, locate
from lab.curation.contamination import review_id
from lab.curation.duplicates import require_pairs
from lab.curation.filters.rule import Rule
from lab.diversity.embedding.stored import require_embeddings
from lab.diversity.selecting.stored import PREFIX, command_of, require_selected
from lab.mixture.recipe import Phase, Recipe, recipe_mapping
from lab.mixture.recipe_files import load_recipe

Changes = Callable[[Artifact], list[str]]


def selections_in(rules: Sequence[Rule]) -> list[str]:
    """Columns of selections that the rules read, each once."""
    columns = [column for rule in rules for column in rule.columns()]
    return [c for c in dict.fromkeys(columns) if c.startswith(PREFIX)]


def without_selections(recipe: Recipe) -> Recipe:
    """The recipe less every rule that reads a selection: among what it keeps can be chosen."""

    def plain(rules: Sequence[Rule]) -> tuple[Rule, ...]:
        return tuple(rule for rule in rules if not selections_in([rule]))

    def plain_phase(phase: Phase) -> Phase:
        left = {name: plain(rules) for name, rules in phase.filters.items()}
        return replace(phase, filters={name: rules for name, rules in left.items() if rules})

    phases = tuple(plain_phase(phase) for phase in recipe.mixture.phases)
    return replace(
        recipe,
        filters=plain(recipe.filters),
        sources={name: plain(rules) for name, rules in recipe.sources.items()},
        mixture=replace(recipe.mixture, phases=phases),
    )


def pool_facts(ws: Workspace, recipe: Recipe, source: str) -> dict[str, str]:
    """What decides which documents of a source the recipe keeps besides selections, by kind, as
    digests.

    Raises ArtifactMissing for a column or a search that is not stored.
    """
    plain = replace(without_selections(recipe), filters=())
    mapping = recipe_mapping(plain)
    own: dict[str, Any] = mapping["sources"].get(source) or {}
    parts = {
        "filters": own.get("filters") or [],
        "values the filters read": values_read(ws, plain, source),
        "edits": own.get("edits") or [],
        "policy on duplicates": mapping.get("dedup"),
        "policy on contamination": mapping.get("decontaminate"),
    }
    others = [name for name in plain.sources if name != source] if plain.dedup else []
    if plain.dedup:
        parts |= copies_facts(ws, plain, source, others)
    if plain.decontaminate:
        names, ngram = plain.decontaminate.benchmarks, plain.decontaminate.ngram
        found = [contamination_matches(ws, name, names, ngram) for name in (source, *others)]
        parts["search for contamination"] = [path.parent.name for path in found]
        parts["reviews of matches"] = review_id(ws)
    return {kind: digest(part) for kind, part in parts.items()}


def copies_facts(
    ws: Workspace, plain: Recipe, source: str, others: Sequence[str]
) -> dict[str, object]:
    """What decides which copy stays: searches, the values it is preferred by, other sources."""
    assert plain.dedup is not None
    mapping, by = recipe_mapping(plain)["sources"], plain.dedup.keep_by
    facts: dict[str, object] = {
        "rules on other sources": [list(mapping), [mapping[name] for name in others]],
        "values their filters read": [values_read(ws, plain, name) for name in others],
        "documents of other sources": [get_source(ws, name).documents for name in others],
    }
    if by:
        preferred = [locate(ws, name, [by])[0].artifact.id for name in (source, *others)]
        facts["values that copies are kept by"] = preferred
    if plain.dedup.minhash:
        facts["search for near-duplicates"] = require_pairs(ws, plain.dedup.minhash).id
    return facts


def values_read(ws: Workspace, recipe: Recipe, source: str) -> list[str]:
    """Artifacts that the rules on a source read."""
    columns = [c for rule in recipe.sources.get(source, ()) for c in rule.columns()]
    return [column.artifact.id for column in locate(ws, source, columns)]


def read_now(ws: Workspace, source: str, encoder: str, quality: str) -> dict[str, str]:
    """The artifacts that a selection would be made from now, by what they are."""
    tokens = require_tokens(ws, source, default_tokenizer(ws)).id
    columns = locate(ws, source, [quality]) if quality else []
    return {
        "documents": get_source(ws, source).documents,
        "embeddings": require_embeddings(ws, source, encoder).id,
        "tokens": tokens,
        **({"quality": columns[0].artifact.id} if columns else {}),
    }


def comparing(ws: Workspace, source: str, now: Recipe | None = None) -> Changes:
    """What a selection of the source was made from that is different now, in words; empty if
    nothing is. A function that reads what it compares with once for all that it is asked about.

    It compares with the recipe among whose documents was chosen: as it is saved, or as `now` says
    if that is of this name.
    """

    @cache
    def present(encoder: str, quality: str) -> dict[str, str] | None:
        try:
            return read_now(ws, source, encoder, quality)
        except ArtifactMissing:
            return None

    @cache
    def pool(name: str) -> dict[str, str] | str:
        try:
            recipe = now if now is not None and now.name == name else load_recipe(ws, name)
        except ConfigError:
            return f"recipe ({name} is gone or cannot be read)"
        if source not in recipe.sources:
            return f"recipe ({name} no longer uses {source})"
        try:
            return pool_facts(ws, recipe, source)
        except LabError:
            return "recipe (what it reads is not stored)"

    def changes(artifact: Artifact) -> list[str]:
        manifest, config = artifact.manifest, artifact.manifest["config"]
        read = present(config["encoder"], config["quality"])
        if read is None:
            return ["what it read is not stored for the present documents"]
        found = different(manifest["read"], read)
        if not manifest["pool"]:
            return found
        facts = pool(config["recipe"])
        return [*found, facts] if isinstance(facts, str) else found + pool_changes(manifest, facts)

    return changes


def different(then: dict[str, str], now: dict[str, str]) -> list[str]:
    """The kinds of `then` that are different now."""
    return [kind for kind, was in then.items() if now.get(kind) != was]


def pool_changes(manifest: dict[str, Any], facts: dict[str, str]) -> list[str]:
    """The kinds of what decided about the pool that are different now; one that does not decide any
    more is named by the policy that it belonged to.
    """
    return different({k: was for k, was in manifest["pool"].items() if k in facts}, facts)


def selection_warnings(ws: Workspace, recipe: Recipe, source: str) -> list[str]:
    """One sentence for each stale selection that the recipe's rules on a source read."""
    extra = [rule for phase in recipe.mixture.phases for rule in phase.filters.get(source, ())]
    said, changes = [], comparing(ws, source, recipe)
    for column in selections_in([*recipe.sources[source], *extra]):
        artifact = require_selected(ws, source, column)
        if words := changes(artifact):
            said.append(
                f"{source}: the selection {column} is stale, changed since it was made: "
                f"{', '.join(words)}. It is used as it is; `{command_of(artifact)}` chooses again."
            )
    return said
