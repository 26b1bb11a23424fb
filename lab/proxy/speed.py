"""What runs will cost in time, before they are started.

The median speed of runs of that size in this workspace, where there are any; else what the preset
did when it was measured. Runs side by side share the cores, so the time is that of all tokens over
the speed of as many processes as there are cores. Scoring comes on top: about a tenth.
"""

from lab.core.engine import cores
from lab.core.workspace import Workspace
from lab.proxy.runs import load_run, read_status, run_folders
from lab.proxy.sizes import SIZES, get_size

TYPICAL = {"nano": 21_000, "micro": 11_800, "mini": 5_100, "small": 2_000, "base": 700}
# tokens a second and process, one thread each, two side by side on a 2-core Zen 4 (2026-11)
WORDS = 4096  # of the vocabulary that these were measured with


def speed_of(ws: Workspace, size: str) -> tuple[float, str]:
    """(tokens a second of one process at `size`, where that comes from)."""
    speeds = sorted(
        status["tokens_per_second"]
        for folder in run_folders(ws)
        if (status := read_status(folder)).get("tokens_per_second")
        and load_run(folder).size == size
    )
    if speeds:
        return speeds[len(speeds) // 2], f"measured on {len(speeds)} runs here"
    return typical(size), "typical speed, not measured here yet"


def estimate_seconds(ws: Workspace, size: str, tokens: int, runs: int) -> tuple[float, str]:
    """(seconds, where the speed comes from) for `runs` runs of `tokens` tokens."""
    speed, basis = speed_of(ws, size)
    return tokens * runs / (speed * max(1, min(cores(), runs))), basis


def typical(size: str) -> float:
    """Tokens a second of a size; one that was not measured goes by its number of parameters."""
    own = get_size(size).parameters(WORDS)
    return TYPICAL.get(size, TYPICAL["base"] * SIZES["base"].parameters(WORDS) / own)
