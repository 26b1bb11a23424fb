"""The proxy model: a plain Llama decoder, as `transformers` builds it from a small config.

RMSNorm, rotary positions, SwiGLU and tied embeddings (Touvron et al. 2023, arXiv 2302.13971). The
Hugging Face class is as fast as a hand-written one at these sizes, and its folder opens in every
tool of the field. Weights are drawn from N(0, 0.02) by a generator seeded with the run's seed
only, so two mixtures with the same seed, size and vocabulary begin at the same point.

Two parts of training differ from what the class does by itself, both for speed on a CPU; the
function computed is the same up to rounding, and nothing of them is stored with the model.

`causal_attention` forms the S x S scores and their softmax outright. At S = 256 that is 2.2 to 2.5
times as fast, forward and backward, as the blocked kernel behind `sdpa`, whose backward pass is
made for long sequences. It needs memory in proportion to S^2: from about 1,000 tokens on, or on a
GPU, `sdpa` is the better one.

`HeadLoss` joins the tied output matrix to the cross-entropy and works on blocks of positions, so
that the logits (positions x vocabulary, the largest tensor of a small model) never exist as a
whole. With p = softmax(h W^T) and e_y the one-hot target, the gradients of the mean over n
positions,

    dL/dh = (p - e_y) W / n        dL/dW = (p - e_y)^T h / n

are formed while p is at hand (Hsu et al. 2024, "Liger Kernel", arXiv 2410.10989). Together the two
gave 1.48 times the tokens per CPU-second at 0.4M parameters, 1.21 at 1.2M and 1.24 at 3M against
`sdpa` and the library's loss (batches of 2,048 tokens, V = 4,096, one thread, bfloat16); the head's
part in that is 1.11, 1.06 and 1.02.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, LlamaConfig, LlamaForCausalLM

from lab.proxy.sizes import ProxySize

BLOCK = 512  # positions whose logits exist at once on a CPU: 8 MB at V = 4,096


def model_config(size: ProxySize, vocab_size: int, eot_id: int) -> LlamaConfig:
    """The configuration of a proxy: end-of-text both begins and ends a document."""
    return LlamaConfig(
        vocab_size=vocab_size,
        hidden_size=size.hidden,
        intermediate_size=size.feed_forward,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=size.sequence_length,
        tie_word_embeddings=True,
        bos_token_id=eot_id,
        eos_token_id=eot_id,
        pad_token_id=None,
        architectures=["LlamaForCausalLM"],
        dtype="float32",
    )


def build_model(size: ProxySize, vocab_size: int, eot_id: int, seed: int) -> LlamaForCausalLM:
    """A new float32 model on the CPU; same arguments, same weights; global seeds stay."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(model_config(size, vocab_size, eot_id))


def parameters(model: LlamaForCausalLM) -> dict[str, Tensor]:
    """Every weight once, by its name in the folder: the tied output matrix is the embedding."""
    return {name: parameter.detach() for name, parameter in model.named_parameters()}


def causal_attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """Attention of each position to itself and all before it: [B, H, S, D] -> [B, S, H, D].

    The signature is that of `transformers`; proxies train on full sequences, so there is no padding
    mask, and without dropout.
    """
    batch, heads, length, width = query.shape
    flat = (batch * heads, length, width)
    future = torch.full((length, length), float("-inf"), dtype=query.dtype, device=query.device)
    scores = torch.baddbmm(
        future.triu(1).expand(batch * heads, length, length),
        query.reshape(flat),
        key.reshape(flat).transpose(1, 2),
        alpha=scaling,
    )
    mixed = torch.bmm(torch.softmax(scores, -1, dtype=scores.dtype), value.reshape(flat))
    return mixed.view(batch, heads, length, width).transpose(1, 2), None


AttentionInterface.register("mixlab_causal", causal_attention)


class HeadLoss(torch.autograd.Function):
    """(mean loss, loss of each position) in nats from hidden states, output matrix and targets."""

    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, block: int
    ) -> tuple[Tensor, Tensor]:
        """`hidden` [n, d] in the computing precision, `weight` [V, d] float32, `targets` [n]."""
        count = len(hidden)
        matrix = weight.to(hidden.dtype)
        hidden_gradient = torch.empty_like(hidden)
        weight_gradient = torch.zeros_like(weight)
        losses = torch.empty(count, dtype=torch.float32, device=hidden.device)
        for start in range(0, count, block):
            here = slice(start, start + block)
            target = targets[here, None]
            p = torch.softmax(hidden[here] @ matrix.t(), -1, dtype=torch.float32)
            chosen = p.gather(1, target)
            losses[here] = -chosen.clamp_min(torch.finfo(torch.float32).tiny).log()[:, 0]
            p.scatter_(1, target, chosen - 1.0)
            difference = p.to(hidden.dtype)
            hidden_gradient[here] = difference @ matrix
            weight_gradient += difference.t() @ hidden[here]
        ctx.save_for_backward(hidden_gradient, weight_gradient)
        ctx.mark_non_differentiable(losses)
        return losses.mean(), losses

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Scale the stored gradients by that of the mean loss."""
        hidden_gradient, weight_gradient = ctx.saved_tensors
        scale = gradients[0] / len(hidden_gradient)
        hidden_gradient = hidden_gradient * scale.to(hidden_gradient.dtype)
        return hidden_gradient, weight_gradient * scale, None, None


def next_token_loss(
    model: LlamaForCausalLM, rows: Tensor, precision: torch.dtype
) -> tuple[Tensor, Tensor]:
    """(mean loss with gradient, loss per row [B]) in nats of predicting `rows[:, 1:]`.

    `rows` is int64 [B, S+1]. Matrices are multiplied in `precision`; weights, sums and losses are
    float32.
    """
    device = rows.device.type
    with torch.autocast(device, precision, enabled=precision != torch.float32):
        hidden = model.model(input_ids=rows[:, :-1], use_cache=False).last_hidden_state
    flat = hidden.reshape(-1, hidden.shape[-1]).to(precision)
    targets = rows[:, 1:].reshape(-1)
    block = BLOCK if device == "cpu" else len(flat)
    mean, each = HeadLoss.apply(flat, model.lm_head.weight, targets, block)
    return mean, each.view(len(rows), -1).mean(1)
