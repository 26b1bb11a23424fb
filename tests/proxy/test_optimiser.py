from dataclasses import replace

import numpy as np
import pytest
import torch

from lab.proxy.model import build_model
from lab.proxy.optimiser import (
    Optimiser,
    build_optimiser,
    moments,
    restore_moments,
    schedule,
    set_rates,
)
from lab.proxy.sizes import ProxySize


@pytest.fixture
def muon(tiny: ProxySize) -> ProxySize:
    return replace(tiny, optimiser="muon", muon_rate=0.05)


def test_the_schedule_by_hand(tiny: ProxySize) -> None:
    size = replace(tiny, warmup_steps=4, decay_share=0.5)
    shares = [schedule(size, step, 100) for step in range(100)]
    assert shares[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert shares[49:52] == [1.0, 1.0, 0.98]
    assert shares[99] == pytest.approx(0.02)


def test_warmup_of_a_short_run_is_short(tiny: ProxySize) -> None:
    size = replace(tiny, warmup_steps=4)
    assert schedule(size, 0, 10) == 1.0
    assert schedule(size, 0, 1) == 1.0


def test_both_rates_follow_one_schedule(muon: ProxySize) -> None:
    optimiser = build_optimiser(build_model(muon, 50, 0, seed=0), muon)
    set_rates(optimiser, muon, 0.5)
    rates = [{group["lr"] for group in part.param_groups} for part in optimiser.parts]
    assert rates == [{0.005}, {0.025}]


def test_only_matrices_decay(tiny: ProxySize) -> None:
    model = build_model(tiny, 50, 0, seed=0)
    groups = build_optimiser(model, tiny).adamw.param_groups
    decayed = {id(p) for p in groups[0]["params"]}
    assert groups[0]["weight_decay"] == 0.1
    assert groups[1]["weight_decay"] == 0
    for name, weight in model.named_parameters():
        assert (id(weight) in decayed) == ("norm" not in name), name
    assert sum(len(g["params"]) for g in groups) == len(list(model.parameters()))


def test_muon_takes_the_hidden_matrices_and_nothing_else(muon: ProxySize) -> None:
    model = build_model(muon, 50, 0, seed=0)
    optimiser = build_optimiser(model, muon)
    assert optimiser.muon is not None
    taken = {id(w) for g in optimiser.muon.param_groups for w in g["params"]}
    others = {id(w) for g in optimiser.adamw.param_groups for w in g["params"]}
    hidden = {n for n, w in model.named_parameters() if id(w) in taken}
    assert hidden == {n for n, _ in model.named_parameters() if "_proj." in n}
    assert taken.isdisjoint(others)
    assert len(taken) + len(others) == len(list(model.parameters()))


def test_a_step_of_muon_moves_every_direction_alike(muon: ProxySize) -> None:
    """Singular values of the update lie about 1 (.5 to 1.5: arXiv 2502.16982), however unlike the
    gradient's are; AdamW's step of the same gradient follows its largest direction."""
    model = build_model(muon, 50, 0, seed=0)
    optimiser = build_optimiser(model, replace(muon, weight_decay=0.0))
    set_rates(optimiser, muon, 1.0)
    weight = model.model.layers[0].self_attn.q_proj.weight
    before = weight.detach().clone()
    generator = torch.Generator().manual_seed(0)
    u, _, v = torch.linalg.svd(torch.randn(weight.shape, generator=generator))
    values = torch.logspace(0, -1.5, len(weight))
    for other in model.parameters():
        other.grad = torch.zeros_like(other)
    weight.grad = u @ torch.diag(values) @ v
    optimiser.step()
    moved = torch.linalg.svdvals((before - weight.detach()) / muon.muon_rate).numpy()
    assert np.all((moved > 0.4) & (moved < 1.6))


def step(model: torch.nn.Module, optimiser: Optimiser, scale: float) -> None:
    generator = torch.Generator().manual_seed(1)
    for weight in model.parameters():
        weight.grad = scale * torch.randn(weight.shape, generator=generator)
    optimiser.step()


@pytest.mark.parametrize("kind", ["adamw", "muon"])
def test_restored_moments_take_the_same_step(tiny: ProxySize, kind: str) -> None:
    size = replace(tiny, optimiser=kind)
    one, two = (build_model(size, 50, 0, seed=0) for _ in range(2))
    first, second = build_optimiser(one, size), build_optimiser(two, size)
    step(one, first, 0.5)
    two.load_state_dict(one.state_dict())
    restore_moments(two, second, {k: v.clone() for k, v in moments(one, first).items()})
    step(one, first, -0.1)
    step(two, second, -0.1)
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)


def test_muon_keeps_one_moment_of_hidden_matrices(muon: ProxySize) -> None:
    model = build_model(muon, 50, 0, seed=0)
    optimiser = build_optimiser(model, muon)
    step(model, optimiser, 1.0)
    kept = moments(model, optimiser)
    hidden = {name for name, _ in model.named_parameters() if "_proj." in name}
    assert {k for k in kept if "momentum_buffer" in k} == {f"{n}.momentum_buffer" for n in hidden}
    assert not any(f"{name}.exp_avg" in kept for name in hidden)
    assert "model.embed_tokens.weight.exp_avg_sq" in kept
