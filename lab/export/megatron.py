"""Target `megatron`: Megatron-LM and Megatron-Bridge.

A weight there is a share of fixed-length samples, that is a token share: `w_i` as it is. The parser
(`megatron/core/datasets/utils.py: get_blend_from_list`) takes `weight prefix weight prefix ...`,
splits on white space, asserts weights above zero, and misreads lists that do not alternate, so zero
weights are dropped, paths hold no spaces and never look like numbers. `--data-args-path` without
`--split` fails, and with neither it trains on mock data: the launch lines name both. A source that
runs out is repeated silently; the README states the epochs. Each phase is its own launch.
"""

from pathlib import Path

from lab.core.errors import ConfigError
from lab.core.files import write_json, write_text
from lab.core.progress import Progress
from lab.core.workspace import Workspace
from lab.export.plan import PhasePlan, Plan, exact
from lab.export.pools import write_jsonl


def write(ws: Workspace, plan: Plan, folder: Path, progress: Progress) -> list[str]:
    """Write JSONL per pool, preprocess.sh, and a blend file per phase."""
    total = sum(len(phase.shares) for phase in plan.phases)
    done = 0
    for phase in plan.phases:
        for share in phase.shares:
            write_jsonl(ws, share, folder / jsonl_path(phase, share.source))
            done += 1
            progress(done, total, f"{phase.name}: {share.source}")
        blend = blend_list(phase)
        write_text(folder / f"{phase.folder}.blend.txt", " ".join(blend) + "\n")
        splits = {"train": blend, "valid": None, "test": None}
        write_json(folder / f"{phase.folder}.per_split.json", splits)
    write_text(folder / "preprocess.sh", preprocess_script(plan))
    return launch_notes(plan)


def jsonl_path(phase: PhasePlan, source: str) -> str:
    """Where a pool's JSONL lies in the export."""
    return f"data/{phase.folder}/{source}.jsonl"


def prefix(phase: PhasePlan, source: str) -> str:
    """The prefix that `preprocess_data.py --json-keys text` makes of it."""
    return f"data/{phase.folder}/{source}_text_document"


def blend_list(phase: PhasePlan) -> list[str]:
    """`[weight, prefix, weight, prefix, ...]`; the weights read back exactly."""
    blend = []
    for share, weight in zip(phase.shares, exact([s.weight for s in phase.shares]), strict=True):
        path = prefix(phase, share.source)
        if any(c.isspace() for c in path):
            raise ConfigError(
                "Megatron splits its blend on white space.",
                value=path,
                next_step="rename the phase or the source without spaces",
            )
        blend += [repr(weight), path]
    return blend


def preprocess_script(plan: Plan) -> str:
    """A shell script that tokenises every pool with Megatron's own tool."""
    lines = [
        "#!/usr/bin/env bash",
        "# Tokenise the pools. Set MEGATRON to the checkout and TOKENIZER_ARGS to the target's",
        "# tokenizer, for example: --tokenizer-type HuggingFaceTokenizer --tokenizer-model PATH",
        "set -euo pipefail",
        'cd "$(dirname "$0")"',
        ': "${MEGATRON:?checkout of Megatron-LM}" "${TOKENIZER_ARGS:?see the comment above}"',
    ]
    for phase in plan.phases:
        for share in phase.shares:
            stem = f"data/{phase.folder}/{share.source}"
            lines.append(
                f'python "$MEGATRON/tools/preprocess_data.py" --input {stem}.jsonl '
                f'--json-keys text --output-prefix {stem} --append-eod --workers "$(nproc)" '
                "$TOKENIZER_ARGS"
            )
    return "\n".join(lines) + "\n"


def launch_notes(plan: Plan) -> list[str]:
    """How to run the phases."""
    notes = ["Run `preprocess.sh`, then train from this folder; a weight is a share of tokens."]
    for phase in plan.phases:
        notes.append(
            f"Phase {phase.name}: `--data-args-path {phase.folder}.blend.txt --split 99,1,0`, or "
            f"`--per-split-data-args-path {phase.folder}.per_split.json`; {phase.tokens:,.0f} "
            "tokens."
        )
    if len(plan.phases) > 1:
        notes.append(
            "Megatron rebuilds its index in each phase from sample 0: give every phase its own "
            "`--seed`, or the same documents are read again in the same order."
        )
    notes.append("A source that runs out is repeated without a word: see the epochs above.")
    return notes
