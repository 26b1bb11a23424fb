"""What can go wrong while a run trains, in words a person can act on.

**Not a number.** A loss or gradient that is infinite or undefined is met before it reaches the
weights. The cause is a rate too high for the model, or a batch that is unlike all others (one token
repeated for thousands of rows), so the message names the rows, their sources and how they begin.

**Out of memory.** Three errors mean it: Python's MemoryError, PyTorch's for a GPU, and a plain
RuntimeError of its CPU allocator. The batch is not what to lower: it is part of the size, and the
same for all mixtures that are compared. When the kernel kills the process instead, nothing is
raised; whoever started it sees signal 9.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from lab.core.errors import DataError, LabError
from lab.proxy.runs import Run
from lab.proxy.shards import Batch

BEGINNING = 12  # tokens shown of a row
SHOWN = 4  # rows shown of a batch


def not_finite(
    run: Run, step: int, batch: Batch, losses: NDArray[np.float32], norm: float, rate: float
) -> DataError:
    """The error for step `step` (from 0); `losses` [B] are those of its rows."""
    first = step * run.hyperparameters.batch
    return DataError(
        "The loss or its gradient is no longer a number.",
        where=f"{run.folder}, step {step + 1} of {run.steps}, learning rate {rate:.3g}",
        value=f"loss {losses.mean()}, gradient norm {norm}",
        next_step=f"look at rows {first} to {first + len(losses) - 1} in training order "
        f"(data/rows): {describe_rows(run, batch, losses, first)}; if the text is sound, train "
        "under another seed or at another size. The last checkpoint is from before",
    )


def describe_rows(run: Run, batch: Batch, losses: NDArray[np.float32], first: int) -> str:
    """Sources and beginnings of the rows of a batch, those without a finite loss first."""
    tokenizer = Tokenizer.from_file(str(run.folder / "tokenizer" / "tokenizer.json"))
    worst = np.argsort(-np.where(np.isfinite(losses), losses, np.inf), kind="stable")
    said = [
        f"{first + k} of {run.sources[batch.source[k]]!r} begins "
        f"{tokenizer.decode(batch.rows[k, :BEGINNING].tolist())!r}"
        for k in worst[:SHOWN].tolist()
    ]
    rest = len(losses) - len(said)
    return ", ".join(said) + (f", and {rest} more" if rest else "")


@contextmanager
def explain_memory(run: Run, batch: int) -> Iterator[None]:
    """Turn an error of exhausted memory into one that says what to lower; `batch` in examples."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if is_out_of_memory(error):
            raise out_of_memory(run, batch, error) from error
        raise


def is_out_of_memory(error: MemoryError | RuntimeError) -> bool:
    """Whether an error of any of the three kinds says that memory is exhausted."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    words = ("can't allocate memory", "not enough memory", "Cannot allocate memory")
    return any(word in str(error) for word in words)


def out_of_memory(run: Run, batch: int, error: BaseException) -> LabError:
    """What to lower when memory is exhausted."""
    size = run.hyperparameters
    count = size.parameters(run.tokenizer["vocab_size"])
    kept = "What is trained is kept" if run.stage == "pretrain" else "The run begins again"
    return LabError(
        "There is not enough memory to train this run.",
        where=f"{run.folder}, size {size.name!r} ({count / 1e6:.1f}M parameters, "
        f"batch {batch} x {size.sequence_length} tokens)",
        value=str(error),
        next_step="train fewer runs side by side (--workers), or choose a smaller --size; the "
        f"batch stays: it must be equal for all mixtures. {kept}",
    )
