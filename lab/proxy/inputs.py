"""What a run is made from: the selected rows, the tokens they stand for, and the tokenizer.

Everything that decides the content of a run is gathered here and named by hashes, so that a run can
be found again, and so that a comparison of two runs can say what differs between them.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.artifacts import Artifact
from lab.core.errors import DataError
from lab.core.files import write_json
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus.sources import documents
from lab.corpus.tokenizer import default_tokenizer, load_tokenizer, tokenizer_facts, tokenizer_id
from lab.corpus.tokens import count_tokens, token_arrays
from lab.mixture.recipe import Phase, Recipe
from lab.mixture.selection import Selection, Verdicts, judge, select_from
from lab.mixture.supply import rule_tables
from lab.mixture.texts import make_texts
from lab.proxy.packing import PhasePlan
from lab.proxy.reading import Parts


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of a run of `recipe`; `counted` has a tokens artifact per source with a weight."""

    recipe: Recipe
    tokenizer: dict[str, Any]
    documents: dict[str, str]
    counted: dict[str, Artifact]
    selection: Selection

    @property
    def hashes(self) -> dict[str, Any]:
        """Names of all inputs, for run.json."""
        return {
            "tokenizer": self.tokenizer,
            "sources": sorted(self.counted),
            "documents": self.documents,
            "token_counts": self.names,
            "selection": selection_digest(self.selection),
        }

    @property
    def tokens(self) -> dict[str, Parts]:
        """The token arrays of every source, mapped from disk."""
        return {source: token_arrays(artifact) for source, artifact in self.counted.items()}

    @property
    def names(self) -> dict[str, str]:
        """What names the tokens of every source: the id of their artifact."""
        return {source: artifact.id for source, artifact in self.counted.items()}

    @property
    def phases(self) -> list[PhasePlan]:
        """The recipe's phases with the rows that each may draw from."""
        return [
            PhasePlan(phase.name, phase.share, phase.weights, rows)
            for phase, rows in zip(self.recipe.mixture.phases, self.selection.phases, strict=True)
        ]


def gather_inputs(ws: Workspace, recipe: Recipe, progress: Progress) -> Inputs:
    """Count tokens where they are not counted yet, and select the documents.

    Raises DataError if a source with a weight keeps no document, ArtifactMissing if an attribute
    that a rule reads is not computed.
    """
    name = recipe.tokenizer or default_tokenizer(ws)
    drawn = sorted({n for p in recipe.mixture.phases for n, w in p.weights.items() if w > 0})
    counted = {}
    for k, source in enumerate(drawn):
        part = progress.part(0.8 * k / len(drawn), 0.8 * (k + 1) / len(drawn))
        texts = make_texts(ws, recipe, source, part.part(0.0, 0.3))
        counted[source] = count_tokens(ws, source, name, part.part(0.3, 1.0), of=texts)
    progress(0.8, 1, "selecting documents")
    verdicts = judge(ws, recipe)
    selection = select_from(recipe, verdicts)
    for phase, rows in zip(recipe.mixture.phases, selection.phases, strict=True):
        for source in rows:
            if len(rows[source]) == 0:
                raise empty_pool(recipe, phase, verdicts[source])
    corpora = {source: documents(ws, source).id for source in drawn}
    return Inputs(recipe, describe_tokenizer(ws, name), corpora, counted, selection)


def empty_pool(recipe: Recipe, phase: Phase, verdict: Verdicts) -> DataError:
    """The error for a source that has a weight but no document, naming the rule that takes most."""
    tables = [t for t in rule_tables(recipe, verdict) if t["phase"][0] in ("", phase.name)]
    rules = pl.concat(tables).filter(pl.col("any_documents") > 0) if tables else pl.DataFrame()
    value: object = f"{verdict.frame.height} documents, all held out"
    if rules.height:  # a phase's own rules come last, and are the cause if the others left any
        cause = rules.filter(phase=rules["phase"][-1]).sort("any_documents").row(-1, named=True)
        value = f"{cause['reason']}: takes {cause['any_documents']:,} documents"
    return DataError(
        f"Source {verdict.source!r} keeps no training document, but has a weight.",
        where=f"recipe {recipe.name!r}, phase {phase.name!r}",
        value=value,
        next_step=f"loosen that rule, or set the weight of {verdict.source!r} to 0; `mixlab ledger "
        f"{recipe.name}` shows what each rule takes",
    )


def selection_digest(selection: Selection) -> str:
    """Names the rows of a selection: it changes with any input that changes a verdict."""
    state = hashlib.sha256()
    for phase in selection.phases:
        for source, rows in sorted(phase.items()):
            state.update(f"{source}\0{len(rows)}\0".encode())
            state.update(rows.astype("<i8").tobytes())
    return state.hexdigest()[:20]


def describe_tokenizer(ws: Workspace, name: str) -> dict[str, Any]:
    """Name, id, vocabulary size and end-of-text token of a tokenizer."""
    facts = tokenizer_facts(ws, name)
    return {
        "name": name,
        "id": tokenizer_id(ws, name),
        "vocab_size": facts.vocab_size,
        "eot_id": facts.eot_id,
        "eot_token": facts.eot_token,
    }


def write_tokenizer(ws: Workspace, name: str, length: int, folder: Path) -> None:
    """The two files from which `AutoTokenizer` makes the same tokenizer."""
    folder.mkdir()
    load_tokenizer(ws, name).save(str(folder / "tokenizer.json"))
    end = tokenizer_facts(ws, name).eot_token
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": end,
        "eos_token": end,
        "model_max_length": length,
        "clean_up_tokenization_spaces": False,
    }
    write_json(folder / "tokenizer_config.json", config)
