"""AdamW with decoupled weight decay, and the learning rate as a function of the step.

AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) with betas .9/.95; decay acts on matrices
only, not on the scales of the norms. The rate follows warm-up, stable, decay (Hu et al. 2024,
MiniCPM, arXiv 2404.06395; Hagele et al. 2024, arXiv 2405.18392): with peak r, warm-up W, decay D
of T steps,

    rate(t) = r * min((t + 1) / W, 1, (T - t) / D)        t = 0 .. T - 1

linear at both ends and all but zero at the last step. A Muon optimiser ties with this one per
minute at these sizes once the rate is tuned, and costs 6 to 38 % of throughput at small batches.
"""

import torch
from torch import Tensor
from transformers import LlamaForCausalLM

from lab.proxy.sizes import ProxySize

MOMENTS = ("step", "exp_avg", "exp_avg_sq")


def learning_rate(size: ProxySize, step: int, steps: int) -> float:
    """The rate at `step` (from 0) of `steps`; warm-up takes at most a tenth of a short run."""
    warmup = max(1, min(size.warmup_steps, steps // 10))
    decay = max(1.0, size.decay_share * steps)
    return size.learning_rate * min((step + 1) / warmup, 1.0, (steps - step) / decay)


def build_optimiser(model: LlamaForCausalLM, size: ProxySize) -> torch.optim.AdamW:
    """AdamW over all weights of `model`, fused where the device has such a kernel."""
    weights = list(model.parameters())
    return torch.optim.AdamW(
        [
            {"params": [w for w in weights if w.ndim >= 2], "weight_decay": size.weight_decay},
            {"params": [w for w in weights if w.ndim < 2], "weight_decay": 0.0},
        ],
        lr=size.learning_rate,
        betas=(size.beta1, size.beta2),
        fused=weights[0].device.type in ("cpu", "cuda"),
    )


def set_rate(optimiser: torch.optim.AdamW, rate: float) -> None:
    """Use `rate` at the next step."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def moments(model: LlamaForCausalLM, optimiser: torch.optim.AdamW) -> dict[str, Tensor]:
    """The optimiser's state as flat tensors, `NAME.exp_avg` and so on."""
    return {
        f"{name}.{key}": optimiser.state[weight][key]
        for name, weight in model.named_parameters()
        for key in MOMENTS
    }


def restore_moments(
    model: LlamaForCausalLM, optimiser: torch.optim.AdamW, state: dict[str, Tensor]
) -> None:
    """Undo `moments`: the next step is the one that would have followed."""
    for name, weight in model.named_parameters():
        optimiser.state[weight] = {key: state[f"{name}.{key}"].to(weight.device) for key in MOMENTS}
