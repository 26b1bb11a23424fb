"""NumPy arrays on disk, written whole or not at all."""

import uuid
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lab.core.files import disk_error


def write_array(path: Path, array: NDArray[Any]) -> None:
    """Write `array` as .npy under a temporary name, then rename it; LabError on a full disk."""
    temp = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with temp.open("wb") as handle:
            np.save(handle, array, allow_pickle=False)
        temp.replace(path)
    except OSError as error:
        temp.unlink(missing_ok=True)
        raise disk_error(error, path) from error
