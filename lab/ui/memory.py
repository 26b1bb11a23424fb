"""Results kept by a key, for what a page asks hundreds of times in one run.

`st.cache_resource` reads a function's signature and hashes its arguments at every call: 0.1 ms, so
that 400 look-ups of a page cost more than the work they save. Here a look-up is one step in a
dictionary (1 microsecond). The key names the content (ids of artifacts), so nothing can go stale;
the least recently used results leave first. What is kept is shared between sessions and threads:
it must never be changed. Two threads that ask for the same key at once may both compute it.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def remembered(most: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the last `most` results of a function under its last argument, the key."""

    def keeping(make: Callable[P, R]) -> Callable[P, R]:
        kept: OrderedDict[object, R] = OrderedDict()
        lock = Lock()

        @wraps(make)
        def found(*args: P.args, **kwargs: P.kwargs) -> R:
            key = args[-1]
            with lock:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key]
            made = make(*args, **kwargs)
            with lock:
                kept[key] = made
                while len(kept) > most:
                    kept.popitem(last=False)
            return made

        return found

    return keeping
