"""Commands that only read: they need no lock and change nothing."""

import argparse
from typing import Any

import polars as pl

from lab.cli.act import workspace
from lab.cli.show import Shown, rows
from lab.cli.watch import watch
from lab.jobs.store import cancel_job, get_job, list_jobs, resume_job


def sources(options: argparse.Namespace) -> Shown:
    """The workspace's sources with their counts."""
    from lab.corpus.sources import list_sources

    listed = [
        {"source": s.name, "kind": s.kind, "licence": s.licence, **s.counts}
        for s in list_sources(workspace(options))
    ]
    flat = [{k: v for k, v in row.items() if not isinstance(v, dict)} for row in listed]
    return Shown({"sources": listed}, [("Sources", pl.DataFrame(flat))])


def recipes(options: argparse.Namespace) -> Shown:
    """The workspace's recipes."""
    from lab.mixture.recipe_files import list_recipes

    listed = [
        {
            "recipe": r.name,
            "sources": len(r.recipe.sources) if r.recipe else None,
            "phases": len(r.recipe.mixture.phases) if r.recipe else None,
            "tokens": r.recipe.mixture.tokens if r.recipe else None,
            "problem": r.problem,
        }
        for r in list_recipes(workspace(options))
    ]
    frame = pl.DataFrame(listed)
    return Shown({"recipes": rows(frame)}, [("Recipes", frame)])


def ledger(options: argparse.Namespace) -> Shown:
    """The ledger of a recipe; status 1 if its budget cannot be met under the repeat cap."""
    from lab.mixture.ledger import compute_ledger
    from lab.mixture.recipe_files import load_recipe

    ws = workspace(options)
    recipe = load_recipe(ws, options.recipe)
    found = compute_ledger(ws, recipe)
    data = {
        "recipe": recipe.name,
        "tokens": recipe.mixture.tokens,
        "sources": rows(found.sources),
        "phases": rows(found.phases),
        "rules": rows(found.rules),
        "problems": list(found.problems),
        "warnings": list(found.warnings),
    }
    title = f"Sources under {recipe.name!r}, {recipe.mixture.tokens:,} tokens"
    tables = [(title, whole_tokens(found.sources))]
    if len(recipe.mixture.phases) > 1:
        tables.append(("Phases", whole_tokens(found.phases.filter(pl.col("tokens") > 0))))
    if found.rules.height:
        short = ["source", "phase", "reason", "first_documents", "first_tokens", "only_tokens"]
        tables.append(("What each rule took (more with --json)", found.rules.select(short)))
    notes = [f"problem: {p}" for p in found.problems]
    notes += [f"warning: {w}" for w in found.warnings]
    return Shown(data, tables, notes, 1 if found.problems else 0)


def whole_tokens(frame: pl.DataFrame) -> pl.DataFrame:
    """Token counts without decimals, for people."""
    columns = [c for c, t in frame.schema.items() if c.endswith("tokens") and t.is_float()]
    return frame.with_columns(pl.col(columns).round(0).cast(pl.Int64))


def runs(options: argparse.Namespace) -> Shown:
    """Proxy runs and their state."""
    from lab.proxy.runs import list_runs

    if options.watch:
        return watch(options)
    frame = list_runs(workspace(options))
    return Shown({"runs": rows(frame)}, [("Proxy runs", frame)])


def jobs(options: argparse.Namespace) -> Shown:
    """List jobs, or show, cancel or resume one."""
    ws = workspace(options)
    if options.what == "list":
        listed = [job_row(job) for job in list_jobs(ws)]
        frame = pl.DataFrame(listed, infer_schema_length=None)  # an estimate may come late
        return Shown({"jobs": listed}, [("Jobs", frame)])
    if not options.id:
        options.misused("name the job; `mixlab jobs` lists them")
    if options.what == "cancel":
        job = cancel_job(ws, options.id, wait=True)
    elif options.what == "resume":
        job = resume_job(ws, options.id)
    else:
        job = get_job(ws, options.id)
    row = job_row(job)
    notes = [f"{key}: {value}" for key, value in row.items()]
    if options.what == "show":
        notes += ["", job.error or "", job.log_tail()]
    return Shown({"job": row | {"result": job.result, "error": job.error}}, notes=notes)


def job_row(job: Any) -> dict[str, Any]:
    """A job as one row of a table."""
    return {
        "job": job.id,
        "action": job.action,
        "state": job.state,
        "done": round(job.done / max(job.total, 1e-12), 3),
        "message": job.message,
        "eta_seconds": None if job.eta is None else round(job.eta),
        "seconds": round(job.seconds, 1),
    }
