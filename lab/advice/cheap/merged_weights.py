"""Merged weights: the average of per-source models stands for the model of their mixture.

    theta(p) = sum over i of p_i theta_i            one merged model per mixture p, scored directly

so that any number of mixtures is tried for the price of one run per source and one scoring each
(DeMix, Li et al. 2026, arXiv:2602.00747, who find plain linear merging the best of those tried and
whose components continue one pretrained model on text that is half general). Why it can work: close
to a common model theta_0 a short training moves the weights by a step that is nearly linear in the
gradients, and the gradient of a mixture is the mixture of gradients.

Here the components are `source_runs` with a shared part: they are what the recipe's own run was
until they branched, so that a merged model stands for the run that goes on with mixture p from
there. Scored mixtures become rows of a table like runs, and the laws of `lab.advice.laws` propose
from it.

Measured on the sample world (`nano`, 200k tokens, one seed, 15 mixtures of seven sources;
tests/benchmarks/cheap_predictors.py), 90 % intervals: rho of the mean cost .78 [.47, .92] with half
of the tokens shared, -.73 [-.90, -.37] with the initialisation alone; MixMin had .90. Against five
very unlike mixtures on 1.7M tokens, some without most sources, .10 [-.81, .84] (MixMin .90). It
costs 2 to 3 CPU-seconds a mixture, MixMin one for all.

Where it fails. Far from the common model the average falls between basins: with nothing shared but
the initialisation even mixtures look worst, though they are best, and the order is reversed.
Values are too high in any case and never comparable with those of trained runs. The common part
speaks for the recipe: it knows every source a little, so the cost of leaving one out is
understated. Each mixture is scored on a sample of the text (`target_text`).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from lab.advice.cheap.source_runs import SourceRuns
from lab.advice.cheap.target_text import Sample, samples, split
from lab.advice.simplex import Array
from lab.core.artifacts import build
from lab.core.errors import DataError
from lab.core.files import digest, read_json, write_json
from lab.core.progress import SILENT, Progress
from lab.core.workspace import Workspace
from lab.evaluation.runs.checkpoints import load_model, model_hash, weights_of
from lab.evaluation.runs.metrics import metric_tables
from lab.evaluation.scoring.heldout import HELDOUT, score_heldout
from lab.evaluation.scoring.scores import SCORES, VERSION, score_items
from lab.evaluation.statistics.noise import split_variance

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor
    from transformers import PreTrainedModel

STEP: Final = 1  # version of merging: raise it when the same inputs would give other scores


def read_components(folders: Sequence[Path]) -> list[dict[str, "Tensor"]]:
    """The weights of finished models by parameter name; DataError unless they are of one shape."""
    from safetensors.torch import load_file

    found = []
    for folder in folders:
        own: dict[str, Tensor] = {}
        for path in weights_of(folder, ""):
            own |= load_file(path)
        found.append(own)
    shapes = [{name: tuple(w.shape) for name, w in own.items()} for own in found]
    other = [f.name for f, shape in zip(folders, shapes, strict=True) if shape != shapes[0]]
    if other:
        raise DataError(
            "Models of other shapes cannot be merged: size or vocabulary differ.",
            where=folders[0].name,
            value=other,
            next_step="train all source runs at one size with one tokenizer",
        )
    return found


def merge(
    components: Sequence[Mapping[str, "Tensor"]], weights: Sequence[float]
) -> dict[str, "Tensor"]:
    """sum_i weights_i components_i, by parameter name, summed in float64."""
    import torch

    total = {name: torch.zeros_like(w, dtype=torch.float64) for name, w in components[0].items()}
    for component, weight in zip(components, weights, strict=True):
        if weight:
            for name, tensor in component.items():
                total[name] += weight * tensor.double()
    return {name: tensor.float() for name, tensor in total.items()}


def merged_scores(
    ws: Workspace,
    runs: SourceRuns,
    mixtures: Array,
    names: Sequence[str],
    progress: Progress = SILENT,
) -> pl.DataFrame:
    """Metrics `names` of the merged model of each of `mixtures` [n, m]: one row each, in order.

    Stored mixture by mixture: a stopped process goes on, and what was scored is not scored again.
    Raises DataError for models that do not fit together.
    """
    texts = samples(ws, names)
    facts = {
        "mixtures": mixtures.tolist(),
        "metrics": list(names),
        "scorer": VERSION,
        "texts": [digest(text.frame.select(pl.first(), "bytes").rows()) if text.table is None
                  else digest(text.table.select("item", "context", "continuation").rows())
                  for text in texts],
    }  # fmt: skip

    def make(folder: Path) -> dict[str, Any]:
        score_mixtures(folder, runs, mixtures, names, texts, progress)
        return {"mixtures": len(mixtures), "sources": list(runs.sources)}

    hashes = [model_hash(folder) for folder in runs.folders]
    made = build(ws, "merged_scores", STEP, facts, hashes, make)
    rows = [read_json(made.path / f"mixture-{k:05d}.json") for k in range(len(mixtures))]
    return pl.DataFrame([[row[name] for name in names] for row in rows], list(names), orient="row")


def score_mixtures(
    folder: Path,
    runs: SourceRuns,
    mixtures: Array,
    names: Sequence[str],
    texts: Sequence[Sample],
    progress: Progress,
) -> None:
    """Write the metrics of every mixture that `folder` does not hold yet."""
    todo = [k for k in range(len(mixtures)) if not (folder / f"mixture-{k:05d}.json").is_file()]
    if not todo:
        return
    components = read_components(runs.folders)
    model, tokenizer = load_model(runs.folders[0])
    own = {name: weight.detach() for name, weight in model.named_parameters()}
    for done, k in enumerate(todo):
        for name, tensor in merge(components, mixtures[k].tolist()).items():
            own[name].copy_(tensor)
        part = progress.part(done / len(todo), (done + 1) / len(todo), f"mixture {k + 1}: ")
        write_json(folder / f"mixture-{k:05d}.json", score(model, tokenizer, texts, names, part))


def score(
    model: "PreTrainedModel",
    tokenizer: "Tokenizer",
    texts: Sequence[Sample],
    names: Sequence[str],
    progress: Progress,
) -> dict[str, float]:
    """Metrics `names` of one model on the samples."""
    items, heldout = [pl.DataFrame(schema=SCORES)], [pl.DataFrame(schema=HELDOUT)]
    for j, text in enumerate(texts):
        part = progress.part(j / len(texts), (j + 1) / len(texts))
        if text.table is None:
            heldout.append(score_heldout(model, tokenizer, text.name, text.frame, progress=part))
        else:
            scored = score_items(model, tokenizer, text.frame, table=text.table, progress=part)
            items.append(scored)
    tables = metric_tables([pl.concat(items)], [pl.concat(heldout)], {})
    values = {
        f"{t.metric.scope}/{t.metric.on}/{t.metric.metric}": float(split_variance(t.tables).value)
        for t in tables
    }
    lacking = [name for name in names if name not in values]
    if lacking:
        raise DataError("These metrics have no text in the sample.", value=lacking)
    return {name: values[name] for name in sorted(names, key=split)}
