"""Commands on tags, notes and votes, under a lock of their own: a running job is no hindrance."""

import argparse
from pathlib import Path

from lab.cli.act import workspace
from lab.cli.show import Shown


def tags(options: argparse.Namespace) -> Shown:
    """Do what `options.what` says."""
    return {
        "list": listing,
        "add": change,
        "remove": change,
        "undo": move,
        "redo": move,
        "export": export,
    }[options.what](options)


def listing(options: argparse.Namespace) -> Shown:
    """How many documents bear each tag, and were given a note or votes."""
    from lab.curation.tags.store import state_of

    state = state_of(workspace(options))
    counts = state.tags.group_by("tag").len("documents").sort("tag")
    data = {
        "tags": dict(counts.iter_rows()),
        "notes": state.notes.height,
        "votes": dict(state.votes.group_by("question").len().sort("question").iter_rows()),
        "undo": state.last,
        "redo": state.next,
    }
    notes = [f"notes: {data['notes']}, votes: {state.votes.height}"]
    return Shown(data, [("Tags", counts)], notes)


def change(options: argparse.Namespace) -> Shown:
    """Give a tag to documents, or take it from them; ids that are no documents are refused."""
    from lab.curation.tags.checks import check_documents
    from lab.curation.tags.store import tag

    if not options.name or not options.ids:
        options.misused(f"`tag {options.what}` needs NAME and at least one document ID")
    ws = workspace(options)
    check_documents(ws, options.ids)
    tag(ws, options.ids, options.name, on=options.what == "add")
    return listing(options)


def move(options: argparse.Namespace) -> Shown:
    """Take back the last change, or restore it."""
    from lab.curation.tags.store import redo, undo

    moved = (undo if options.what == "undo" else redo)(workspace(options))
    said = f"{options.what}: {moved}" if moved else f"there is nothing to {options.what}"
    return Shown({options.what: moved}, notes=[said])


def export(options: argparse.Namespace) -> Shown:
    """Write tags or votes as labels."""
    from lab.curation.tags.store import export_labels

    if not options.name or len(options.ids) != 1:
        options.misused("`tag export` needs NAME (a tag or a question) and FILE")
    path = Path(options.ids[0])
    count = export_labels(workspace(options), options.name, path)
    said = f"{count} labels in {path}; next: mixlab score NAME --labels {path}"
    return Shown({"labels": count, "path": str(path)}, notes=[said])
