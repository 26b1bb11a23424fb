"""Target `huggingface`: Parquet per pool and a script that interleaves them.

`interleave_datasets(probabilities=)` draws documents, so the token shares are converted to document
probabilities p_i = (w_i / L_i) / sum. The sources are repeated without end and the stream is cut at
the phase's number of documents: neither `first_exhausted` (stops when the smallest source ends) nor
`all_exhausted` (runs until the largest has been seen) would keep the weights and the budget.
"""

import json
from pathlib import Path

from lab.core.files import write_text
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.export.plan import PhasePlan, Plan
from lab.export.pools import write_parquet

SCRIPT = '''"""The mixture {name!r} as a stream of documents: `from mix import phase`.

Made by Mixture Lab. PHASES holds, per phase: files, probability of drawing a document of each
source (converted from token shares; see README.md), number of documents that meets the budget.
"""

import json
from pathlib import Path

from datasets import IterableDataset, interleave_datasets, load_dataset

HERE = Path(__file__).resolve().parent
PHASES = json.loads((HERE / "phases.json").read_text("utf-8"))
BUFFER = 10_000  # documents in the shuffle buffer


def source(files: list[str], seed: int) -> IterableDataset:
    """One source, shuffled, repeated without end."""
    paths = [str(HERE / file) for file in files]
    stream = load_dataset("parquet", data_files=paths, split="train", streaming=True)
    columns = stream.select_columns(["id", "text", "source"])
    return columns.shuffle(seed, buffer_size=BUFFER).repeat(None)


def phase(name: str, seed: int = 0) -> IterableDataset:
    """The documents of one phase in training order."""
    plan = PHASES[name]
    streams = [source(files, seed) for files in plan["files"].values()]
    mixed = interleave_datasets(
        streams,
        probabilities=plan["probabilities"],
        seed=seed,
        stopping_strategy="first_exhausted",  # never happens: the streams repeat
    )
    return mixed.take(plan["documents"])


if __name__ == "__main__":
    for name in PHASES:
        for document in phase(name).take(3):
            print(name, document["source"], document["text"][:80].replace("\\n", " "))
'''


def write(ws: Workspace, plan: Plan, folder: Path, progress: Progress) -> list[str]:
    """Write the pools, phases.json and mix.py."""
    total = sum(len(phase.shares) for phase in plan.phases)
    done = 0
    phases = {}
    for phase in plan.phases:
        files = {}
        for share in phase.shares:
            paths = write_parquet(ws, share, folder / "data" / phase.folder)
            files[share.source] = [str(path.relative_to(folder)) for path in paths]
            done += 1
            progress(done, total, f"{phase.name}: {share.source}")
        phases[phase.name] = phase_entry(phase, files)
    write_text(folder / "phases.json", json.dumps(phases, indent=1) + "\n")
    write_text(folder / "mix.py", SCRIPT.replace("{name!r}", repr(plan.recipe.name)))
    return [
        "`from mix import phase` gives a phase as an `IterableDataset`; `python mix.py` shows the "
        "first documents.",
        "Probabilities are per document, so that the token shares above come out.",
        "Sources repeat without end and the stream is cut at the phase's number of documents.",
    ]


def phase_entry(phase: PhasePlan, files: dict[str, list[str]]) -> dict[str, object]:
    """What mix.py needs of one phase."""
    return {
        "files": files,
        "probabilities": phase.document_probabilities(),
        "documents": phase.documents,
        "tokens": phase.tokens,
    }
