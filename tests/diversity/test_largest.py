"""The largest of every row, against a full sort."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.diversity.layout.largest import largest


@given(
    rows=st.integers(0, 5), columns=st.integers(1, 40), kinds=st.integers(1, 6), seed=st.integers(0)
)
@settings(deadline=None, max_examples=60)
def test_it_is_a_stable_sort_from_the_top(rows: int, columns: int, kinds: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    similar = rng.integers(-kinds, kinds, (rows, columns)).astype(np.float32)  # many equal ones
    k = int(rng.integers(1, columns + 1))
    found, values = largest(similar, k)
    order = np.argsort(-similar, axis=1, kind="stable")[:, :k]
    assert (found == order).all()
    assert (values == np.take_along_axis(similar, order, axis=1)).all()
