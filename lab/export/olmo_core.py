"""Target `olmo-core`: token files and a source-mixture YAML per phase.

`target_ratio` is a share of the requested tokens in whole sequences: the token share as it is, and
the ratios must sum to 1. A source that is too short raises unless `max_repetition_ratio` allows the
epochs it needs, so the file writes the implied epochs, rounded up, never the recipe's cap. The data
files are what OLMo-core calls `.npy`: raw token ids without a header, here under the recipe's
tokenizer; tokenise again for another one. Each phase is its own run.
"""

import math
from pathlib import Path
from typing import Any

from lab.core.files import write_yaml
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.corpus.tokenizer import vocab_size
from lab.export.plan import PhasePlan, Plan, Share, exact
from lab.export.pools import write_token_file


def write(ws: Workspace, plan: Plan, folder: Path, progress: Progress) -> list[str]:
    """Write a token file per pool and a YAML per phase."""
    total = sum(len(phase.shares) for phase in plan.phases)
    done = 0
    for phase in plan.phases:
        for share in phase.shares:
            path = folder / "data" / phase.folder / share.source / "part-00000.npy"
            write_token_file(ws, share, plan.tokenizer, path)
            done += 1
            progress(done, total, f"{phase.name}: {share.source}")
        write_yaml(folder / f"{phase.folder}.yaml", mixture_mapping(phase))
    width = "uint16" if vocab_size(ws, plan.tokenizer) <= 65_536 else "uint32"
    return [
        "`SourceMixtureList.from_yaml(FILE)` reads a phase's YAML; run it from this folder, since "
        "the paths are relative and must exist when the data set is built.",
        *[f"Phase {p.name}: requested_tokens={round(p.tokens)}" for p in plan.phases],
        f"Token files are headerless {width}, end-of-text after every document.",
        "`max_repetition_ratio` is the implied number of epochs, rounded up to 0.01; OLMo-core "
        "raises instead of repeating beyond it.",
    ]


def mixture_mapping(phase: PhasePlan) -> dict[str, Any]:
    """The source mixture of one phase."""
    ratios = exact([share.weight for share in phase.shares])
    return {
        "sources": [
            source_mapping(phase, share, ratio)
            for share, ratio in zip(phase.shares, ratios, strict=True)
        ]
    }


def source_mapping(phase: PhasePlan, share: Share, ratio: float) -> dict[str, Any]:
    """One source; the margin of one percent covers the rounding to whole sequences."""
    return {
        "source_name": share.source,
        "target_ratio": ratio,
        "paths": [f"data/{phase.folder}/{share.source}/*.npy"],
        "max_repetition_ratio": max(1.0, math.ceil(share.epochs * 101) / 100),
        "max_source_fraction": 1.0,
    }
