from dataclasses import replace

import pytest
import torch

from lab.proxy.model import build_model
from lab.proxy.optimiser import build_optimiser, learning_rate, moments, restore_moments
from lab.proxy.sizes import ProxySize


def test_rate_by_hand(tiny: ProxySize) -> None:
    size = replace(tiny, learning_rate=1.0, warmup_steps=4, decay_share=0.5)
    rates = [learning_rate(size, step, 100) for step in range(100)]
    assert rates[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert rates[49:52] == [1.0, 1.0, 0.98]
    assert rates[99] == pytest.approx(0.02)


def test_warmup_of_a_short_run_is_short(tiny: ProxySize) -> None:
    size = replace(tiny, learning_rate=1.0, warmup_steps=4)
    assert learning_rate(size, 0, 10) == 1.0
    assert learning_rate(size, 0, 1) == 1.0


def test_only_matrices_decay(tiny: ProxySize) -> None:
    model = build_model(tiny, 50, 0, seed=0)
    groups = build_optimiser(model, tiny).param_groups
    decayed = {id(p) for p in groups[0]["params"]}
    assert groups[0]["weight_decay"] == 0.1
    assert groups[1]["weight_decay"] == 0
    for name, weight in model.named_parameters():
        assert (id(weight) in decayed) == ("norm" not in name), name
    assert sum(len(g["params"]) for g in groups) == len(list(model.parameters()))


def test_restored_moments_take_the_same_step(tiny: ProxySize) -> None:
    def step(model: torch.nn.Module, optimiser: torch.optim.Optimizer, scale: float) -> None:
        for weight in model.parameters():
            weight.grad = torch.full_like(weight, scale)
        optimiser.step()

    one, two = (build_model(tiny, 50, 0, seed=0) for _ in range(2))
    first, second = build_optimiser(one, tiny), build_optimiser(two, tiny)
    step(one, first, 0.5)
    two.load_state_dict(one.state_dict())
    restore_moments(two, second, {k: v.clone() for k, v in moments(one, first).items()})
    step(one, first, -0.1)
    step(two, second, -0.1)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)
