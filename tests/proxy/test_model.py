import pytest
import torch
import torch.nn.functional as F

from lab.proxy.model import BLOCK, HeadLoss, build_model, causal_attention, next_token_loss
from lab.proxy.sizes import ProxySize


@pytest.fixture
def rows(tiny: ProxySize) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 100, (4, tiny.sequence_length + 1), generator=generator)


def test_loss_and_gradients_are_those_of_the_library(rows: torch.Tensor, tiny: ProxySize) -> None:
    model = build_model(tiny, 100, 0, seed=0)
    model.set_attn_implementation("mixlab_causal")
    mean, each = next_token_loss(model, rows, torch.float32)
    mean.backward()
    ours = [w.grad.clone() for w in model.parameters() if w.grad is not None]
    model.zero_grad()
    model.set_attn_implementation("sdpa")
    logits = model(input_ids=rows[:, :-1]).logits
    peer = F.cross_entropy(logits.transpose(1, 2), rows[:, 1:], reduction="none")
    peer.mean().backward()
    assert each.detach() == pytest.approx(peer.detach().mean(1), abs=1e-5)
    for ours_one, weight in zip(ours, model.parameters(), strict=True):
        torch.testing.assert_close(ours_one, weight.grad, rtol=1e-4, atol=1e-6)


def test_blocks_of_the_head_add_up() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(50, 16, requires_grad=True)
    weight = torch.randn(300, 16, requires_grad=True)
    targets = torch.randint(0, 300, (50,))
    results = []
    for block in (7, BLOCK):
        mean, each = HeadLoss.apply(hidden, weight, targets, block)
        grads = torch.autograd.grad(3 * mean, (hidden, weight))
        results.append((mean, each, *grads))
    peer = F.cross_entropy(hidden @ weight.t(), targets)
    expected = torch.autograd.grad(3 * peer, (hidden, weight))
    for mean, each, *grads in results:
        torch.testing.assert_close(mean, peer)
        torch.testing.assert_close(each.mean(), peer)
        for ours, theirs in zip(grads, expected, strict=True):
            torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


def test_rounding_to_bfloat16_costs_no_more_than_with_the_library(
    rows: torch.Tensor, tiny: ProxySize
) -> None:
    model = build_model(tiny, 100, 0, seed=0)

    def gradient(attention: str, precision: torch.dtype) -> torch.Tensor:
        model.set_attn_implementation(attention)
        model.zero_grad()
        next_token_loss(model, rows, precision)[0].backward()
        return torch.cat([w.grad.flatten() for w in model.parameters()])

    exact = gradient("sdpa", torch.float32)
    ours = (gradient("mixlab_causal", torch.bfloat16) - exact).norm()
    peer = (gradient("sdpa", torch.bfloat16) - exact).norm()
    assert ours < 1.2 * peer < 0.05 * exact.norm()


def test_attention_is_causal_attention() -> None:
    torch.manual_seed(0)
    query, key, value = (torch.randn(2, 3, 20, 8) for _ in range(3))
    ours, _ = causal_attention(torch.nn.Identity(), query, key, value, None, scaling=8**-0.5)
    peer = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    torch.testing.assert_close(ours, peer.transpose(1, 2))


def test_a_hopeless_prediction_is_a_large_loss_not_infinity() -> None:
    hidden = torch.tensor([[1000.0, 0.0]], requires_grad=True)
    weight = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], requires_grad=True)
    mean, _ = HeadLoss.apply(hidden, weight, torch.tensor([1]), BLOCK)
    mean.backward()
    assert 80 < mean.item() < 100
    assert torch.isfinite(hidden.grad).all()
    assert hidden.grad[0, 0] > 0


def test_a_seed_decides_the_weights_and_nothing_else_does(tiny: ProxySize) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first = build_model(tiny, 100, 0, seed=3)
    assert torch.equal(before, torch.random.get_rng_state())
    torch.rand(10)
    again, other = build_model(tiny, 100, 0, seed=3), build_model(tiny, 100, 0, seed=4)
    for a, b in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(a, b)
    assert not torch.equal(first.lm_head.weight, other.lm_head.weight)
    assert first.lm_head.weight is first.model.embed_tokens.weight
