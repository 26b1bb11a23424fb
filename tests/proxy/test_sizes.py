import pytest

from lab.core.errors import ConfigError
from lab.proxy.model import build_model
from lab.proxy.sizes import SIZES, get_size


@pytest.mark.parametrize("name", ["nano", "micro", "mini"])
def test_the_formula_counts_the_weights_of_the_model(name: str) -> None:
    size = SIZES[name]
    model = build_model(size, 512, 0, seed=0)
    assert sum(p.numel() for p in model.parameters()) == size.parameters(512)


def test_sizes_span_what_they_promise() -> None:
    millions = {name: size.parameters(4096) / 1e6 for name, size in SIZES.items()}
    assert list(millions) == ["nano", "micro", "mini", "small", "base", "125m"]
    assert 0.35 < millions["nano"] < 0.45
    assert 25 < millions["base"] < 35
    assert list(millions.values()) == sorted(millions.values())


def test_budgets_become_whole_steps() -> None:
    nano = SIZES["nano"]
    assert nano.steps(nano.tokens_per_step) == 1
    assert nano.steps(10 * nano.tokens_per_step + 3) == 10
    with pytest.raises(ConfigError, match="smaller than one batch"):
        nano.steps(nano.tokens_per_step - 1)


def test_an_unknown_size_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean micro"):
        get_size("micr")
