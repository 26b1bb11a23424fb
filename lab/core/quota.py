"""How much processor time a container leaves to the processes in it.

A container's limit (`docker run --cpus 2`, a Kubernetes limit, a Slurm job's share) is no affinity:
all processors of the machine are there to be seen, but the kernel stops the group for the rest of
each period once it has used its quota. Threads that wait for each other then wait for the period's
end, so as many as the machine has processors are slower than as many as the quota pays for.

    cpu.max    "200000 100000": 200 of every 100 ms, two processors; "max 100000": no limit

Control groups of version 2 nest, and each limit holds for all below it. Version 1 is not read.
"""

import math
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def processor_quota() -> float:
    """Processors that the control groups of this process grant; infinite without a limit."""
    path = Path("/proc/self/cgroup")
    lines = path.read_text().splitlines() if path.is_file() else []
    own = next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")
    return least_quota(CGROUPS, own)


def least_quota(root: Path, group: str) -> float:
    """The least quota of `group` below `root` and the groups above it.

    A container that is shown its own group as the root has the quota in `root` itself.
    """
    folder = root / group
    groups = [path for path in (folder, *folder.parents) if path.is_relative_to(root)]
    return min((read_quota(path / "cpu.max") for path in groups), default=math.inf)


def read_quota(path: Path) -> float:
    """Processors that one `cpu.max` grants."""
    most, period = path.read_text().split() if path.is_file() else ("max", "1")
    return math.inf if most == "max" else int(most) / int(period)
