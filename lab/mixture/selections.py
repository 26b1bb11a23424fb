"""Selections in a recipe: which its rules read, and what has changed since each was made.

A selection (`selected.*`) is a decision about documents as they were: which were embedded, how they
scored, what the recipe's other rules kept. It stays as it is until it is made again, so a recipe
that uses it keeps meaning the same; but when what it was chosen from has changed, that is said
wherever it is shown (`changed`), as runs on old pools are (`lab.advice.evidence.stale`). What is
compared: the ids of what was read, and of the recipe its rules on this source without those on
selections, the values they read, edits, the policies on duplicates and contamination. What is not
seen: a near-duplicate search or a review of matches that was done anew under the same policy.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, LabError
from lab.core.files import digest
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.attributes import locate
from lab.curation.filters.rule import Rule
from lab.diversity.embedding.stored import require_embeddings
from lab.diversity.selecting.stored import PREFIX, command_of, require_selected
from lab.mixture.recipe import Phase, Recipe, recipe_mapping


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
    """What the recipe says of a source besides selections, by kind, as digests.

    Raises ArtifactMissing for a column that is not stored.
    """
    plain = replace(without_selections(recipe), filters=())
    mapping = recipe_mapping(plain)
    own: dict[str, Any] = mapping["sources"].get(source) or {}
    columns = [c for rule in plain.sources.get(source, ()) for c in rule.columns()]
    values = [column.artifact.id for column in locate(ws, source, columns)]
    parts = {
        "filters": own.get("filters") or [],
        "values the filters read": values,
        "edits": own.get("edits") or [],
        "policy on duplicates": mapping.get("dedup"),
        "policy on contamination": mapping.get("decontaminate"),
    }
    return {kind: digest(part) for kind, part in parts.items()}


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


def changed(ws: Workspace, artifact: Artifact, recipe: Recipe | None = None) -> list[str]:
    """What a selection was made from that is different now, in words; empty if nothing is.

    `recipe` is the one among whose documents it was chosen, as it is now; None: none was, or it is
    gone.
    """
    manifest = artifact.manifest
    source, config = str(manifest["source"]), manifest["config"]
    try:
        now = read_now(ws, source, config["encoder"], config["quality"])
    except ArtifactMissing:
        return ["what it read is not stored for the present documents"]
    found = [kind for kind, then in manifest["read"].items() if now.get(kind) != then]
    if not manifest["pool"]:
        return found
    if recipe is None or source not in recipe.sources:
        return [*found, "the recipe"]
    try:
        pool = pool_facts(ws, recipe, source)
    except LabError:
        return [*found, "values the filters read"]
    return [*found, *(kind for kind, then in manifest["pool"].items() if pool.get(kind) != then)]


def selection_warnings(ws: Workspace, recipe: Recipe, source: str) -> list[str]:
    """One sentence for each stale selection that the recipe's rules on a source read."""
    extra = [rule for phase in recipe.mixture.phases for rule in phase.filters.get(source, ())]
    said = []
    for column in selections_in([*recipe.sources[source], *extra]):
        artifact = require_selected(ws, source, column)
        if words := changed(ws, artifact, recipe):
            said.append(
                f"{source}: the selection {column} is stale, changed since it was made: "
                f"{', '.join(words)}. It is used as it is; `{command_of(artifact)}` chooses again."
            )
    return said
