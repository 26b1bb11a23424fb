"""Loops that NumPy cannot say, compiled by numba and kept on disk for the next process.

Numba looks for a writable folder beside the function's file, then in the user's cache folder. Where
there is none, as in a read-only installation, the compiled code is kept in memory only and every
process compiles anew: up to 10 s for the largest kernels. Importing numba takes .3 s, so modules
with kernels are for workers.
"""

from collections.abc import Callable
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compiled(function: Kernel) -> Kernel:
    """`function`, compiled on its first call; it lets go of Python's lock while it runs."""
    try:
        return cast(Kernel, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # numba: "no locator available"
        return cast(Kernel, numba.njit(nogil=True)(function))
