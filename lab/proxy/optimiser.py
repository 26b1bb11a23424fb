"""AdamW, Muon beside it where a size asks for it, and the learning rate as a function of the step.

AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) with decoupled decay, on matrices only, not on
the scales of the norms. The rate follows warm-up, stable, decay (Hu et al. 2024, MiniCPM, arXiv
2404.06395; Hagele et al. 2024, arXiv 2405.18392): with peak r, warm-up W, decay D of T steps,

    rate(t) = r * min((t + 1) / W, 1, (T - t) / D)        t = 0 .. T - 1

linear at both ends and all but zero at the last step.

Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon) takes the momentum of a hidden matrix
and replaces it by the nearest semi-orthogonal one, U V^T of its singular value decomposition, so
that all directions move alike; five Newton-Schulz iterations in bfloat16 stand in for the
decomposition. It is meant for matrices between hidden layers only: the embedding (tied to the
output) and the norms stay with AdamW at their own rate, and both rates follow the one schedule.
Cost: 10 products of min(a, b)^2 max(a, b) operations and 5 of min(a, b)^3 a matrix and step,
whatever the batch, hence a larger part of a small batch. Where it fails: a rate tuned for AdamW
means nothing to it, and a step has the same length however small the gradient is, so the decay
must reach zero.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from lab.proxy.sizes import ProxySize

MOMENTS = ("step", "exp_avg", "exp_avg_sq")
MOMENTUM = ("momentum_buffer",)


@dataclass(frozen=True, slots=True)
class Optimiser:
    """What updates the weights: AdamW all of them, or all but the hidden matrices."""

    adamw: torch.optim.AdamW
    muon: torch.optim.Muon | None

    @property
    def parts(self) -> list[torch.optim.Optimizer]:
        """Those that are in use."""
        return [self.adamw, self.muon] if self.muon else [self.adamw]

    def step(self) -> None:
        """Update the weights, and forget their gradients."""
        for part in self.parts:
            part.step()
            part.zero_grad(set_to_none=True)


def schedule(size: ProxySize, step: int, steps: int) -> float:
    """The share of its peak that a rate has at `step` (from 0) of `steps`.

    Warm-up takes at most a tenth of a short run.
    """
    warmup = max(1, min(size.warmup_steps, steps // 10))
    decay = max(1.0, size.decay_share * steps)
    return min((step + 1) / warmup, 1.0, (steps - step) / decay)


def is_hidden(name: str, weight: Tensor) -> bool:
    """Whether a weight is a matrix between hidden layers."""
    return weight.ndim == 2 and ".layers." in name


def build_optimiser(model: LlamaForCausalLM, size: ProxySize) -> Optimiser:
    """The optimiser of `size` over all weights of `model`; AdamW fused where a kernel is."""
    named = list(model.named_parameters())
    hidden = [w for name, w in named if size.optimiser == "muon" and is_hidden(name, w)]
    taken = {id(weight) for weight in hidden}
    rest = [weight for _, weight in named if id(weight) not in taken]
    adamw = torch.optim.AdamW(
        [
            {"params": [w for w in rest if w.ndim >= 2], "weight_decay": size.weight_decay},
            {"params": [w for w in rest if w.ndim < 2], "weight_decay": 0.0},
        ],
        lr=size.learning_rate,
        betas=(size.beta1, size.beta2),
        fused=rest[0].device.type in ("cpu", "cuda"),
    )
    muon = (
        torch.optim.Muon(hidden, lr=size.muon_rate, weight_decay=size.weight_decay)
        if hidden
        else None
    )
    return Optimiser(adamw, muon)


def set_rates(optimiser: Optimiser, size: ProxySize, share: float) -> None:
    """Use `share` of the peak rates at the next step."""
    for group in optimiser.adamw.param_groups:
        group["lr"] = share * size.learning_rate
    for group in optimiser.muon.param_groups if optimiser.muon else ():
        group["lr"] = share * size.muon_rate


def moments(model: LlamaForCausalLM, optimiser: Optimiser) -> dict[str, Tensor]:
    """The optimiser's state as flat tensors, `NAME.exp_avg`, `NAME.momentum_buffer` and so on."""
    return {
        f"{name}.{key}": part.state[weight][key]
        for name, weight in model.named_parameters()
        for part, keys in zip(optimiser.parts, (MOMENTS, MOMENTUM), strict=False)
        for key in keys
        if weight in part.state
    }


def restore_moments(
    model: LlamaForCausalLM, optimiser: Optimiser, state: dict[str, Tensor]
) -> None:
    """Undo `moments`: the next step is the one that would have followed."""
    for name, weight in model.named_parameters():
        first = f"{name}.{MOMENTUM[0]}" not in state
        part = optimiser.adamw if first or not optimiser.muon else optimiser.muon
        # copied: a fused step works in place, and the tensors may be mapped from a file
        part.state[weight] = {
            key: state[f"{name}.{key}"].clone().to(weight.device)
            for key in (MOMENTS if first else MOMENTUM)
        }
