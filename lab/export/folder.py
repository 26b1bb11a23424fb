"""What every exported folder says about itself: recipe, canonical numbers, README, hashes."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab import __version__
from lab.core.files import file_sha256, write_json, write_text, write_yaml
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.corpus.tokenizer import tokenizer_id
from lab.export.plan import PhasePlan, Plan
from lab.mixture.recipe import recipe_id, recipe_mapping


def describe(ws: Workspace, plan: Plan, target: str, folder: Path, notes: list[str]) -> None:
    """Write recipe.yaml, mixture.json, README.md and, last, manifest.json."""
    write_yaml(folder / "recipe.yaml", recipe_mapping(plan.recipe))
    write_json(folder / "mixture.json", canonical(ws, plan))
    write_text(folder / "README.md", readme(ws, plan, target, notes))
    files = {
        str(path.relative_to(folder)): {"sha256": file_sha256(path), "bytes": path.stat().st_size}
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    manifest = {
        "recipe": plan.recipe.name,
        "recipe_id": recipe_id(plan.recipe),
        "target": target,
        "made_by": f"mixlab {__version__}",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "documents": {s: get_source(ws, s).documents for s in plan.recipe.sources},
        "tokenizer": {"name": plan.tokenizer, "id": tokenizer_id(ws, plan.tokenizer)},
        "files": files,
    }
    write_json(folder / "manifest.json", manifest)


def canonical(ws: Workspace, plan: Plan) -> dict[str, Any]:
    """The mixture in tokens, zero weights included, with licence and provenance of each source."""
    return {
        "name": plan.recipe.name,
        "recipe_id": recipe_id(plan.recipe),
        "tokenizer": plan.tokenizer,
        "tokens": plan.recipe.mixture.tokens,
        "repeat_cap": plan.recipe.mixture.repeat_cap,
        "on_exhausted": "repeat",
        "phases": [phase_mapping(plan, k, phase) for k, phase in enumerate(plan.phases)],
        "sources": {
            name: {
                "kind": (source := get_source(ws, name)).kind,
                "licence": source.licence,
                "provenance": source.provenance,
                "documents_artifact": source.documents,
            }
            for name in plan.recipe.sources
        },
    }


def phase_mapping(plan: Plan, number: int, phase: PhasePlan) -> dict[str, Any]:
    """One phase with every unit a reader may need."""
    zeros = {
        name: {"token_share": 0.0}
        for name, weight in plan.recipe.mixture.phases[number].weights.items()
        if weight == 0
    }
    probabilities = phase.document_probabilities()
    shares = {
        share.source: {
            "token_share": share.weight,
            "tokens": share.tokens,
            "pool_documents": share.pool_documents,
            "pool_tokens": share.pool_tokens,
            "tokens_per_document": share.tokens_per_document,
            "document_probability": probability,
            "epochs": share.epochs,
        }
        for share, probability in zip(phase.shares, probabilities, strict=True)
    }
    return {"name": phase.name, "tokens": phase.tokens, "sources": shares | zeros}


def readme(ws: Workspace, plan: Plan, target: str, notes: list[str]) -> str:
    """The README of an export: what it is, what it implies, how it is used."""
    mixture = plan.recipe.mixture
    lines = [
        f"# {plan.recipe.name}: export for `{target}`",
        "",
        f"Budget {mixture.tokens:,} tokens under tokenizer `{plan.tokenizer}`; no document is "
        f"meant to be seen more than {mixture.repeat_cap:g} times. `mixture.json` holds the "
        "canonical numbers in tokens; `manifest.json` the hashes of all files.",
        "",
        "Token counts depend on the tokenizer. With another one, count again before you train.",
    ]
    for phase in plan.phases:
        lines += ["", f"## Phase {phase.name}: {phase.tokens:,.0f} tokens", "", *phase_table(phase)]
    lines += ["", "## Sources", ""]
    for name in plan.recipe.sources:
        source = get_source(ws, name)
        licence = source.licence or "licence not stated"
        edits = ", ".join(plan.recipe.edits.get(name, ()))
        edited = f"; the text is edited by {edits}" if edits else ""
        lines.append(f"- `{name}` ({source.kind}): {licence}{edited}")
    lines += ["", "## Use", "", *[f"- {note}" for note in notes], ""]
    return "\n".join(lines)


def phase_table(phase: PhasePlan) -> list[str]:
    """A Markdown table of one phase."""
    rows = [
        "| source | token share | tokens | documents | pool tokens | epochs | document share |",
        "|---|---|---|---|---|---|---|",
    ]
    for share, p in zip(phase.shares, phase.document_probabilities(), strict=True):
        rows.append(
            f"| {share.source} | {share.weight:.4f} | {share.tokens:,.0f} | "
            f"{share.pool_documents:,} | {share.pool_tokens:,} | {share.epochs:.2f} | {p:.4f} |"
        )
    return rows
