"""Proxy sizes: six Llama shapes with hyper-parameters that no mixture may change.

A comparison of mixtures is only fair if everything else is frozen, so a size carries its own
batch, learning rate and schedule, chosen once on mixed text and never per mixture (DataDecide,
Magnusson et al. 2025; RegMix, Liu et al. 2024, arXiv 2407.01492 do the same). Parameters, with
tied embeddings:

    N = V d + L (4 d^2 + 3 d f + 2 d) + d        V vocabulary, d hidden, L layers, f feed-forward

Cost of training: about 6 N floating-point operations a token (the tied matrix is counted once, for
the logits; attention scores are left out). At minute budgets on a CPU the number of optimiser steps
is what limits learning: shallow models and small batches win. Default budgets up to `base` are
about 4 tokens a parameter, a fifth of what is compute-optimal: such runs rank mixtures by loss;
they say little about absolute accuracy.

Where the numbers come from (docs/decisions/0005-proxy-presets.md, all candidates and seeds;
`tests/benchmarks/preset_search.py` repeats it). `nano` won at equal CPU time, 75 seconds, on the
sample world and on eight public corpora: its sequences of 128 are .028 and .110 bits per byte
better on held-out text than half as many of 256, and no worse on facts and reasoning. The price:
the context of some longer items is cut (of PIQA 5 %, of ARC-Easy 1 %; counted in the scores).
`micro` keeps 256 for that reason, where the gain of 128 has shrunk to .014. The larger sizes are
not tuned: they follow by rate ~ sqrt(batch) / d, with batches that keep matrices efficient.
`125m` has the shape of GPT-2 small, for GPUs; nothing of it is measured.
"""

from dataclasses import dataclass

from lab.core.errors import ConfigError, nearest


@dataclass(frozen=True, slots=True)
class ProxySize:
    """A model shape and how it is trained; `batch` is in sequences of `sequence_length` tokens."""

    name: str
    hidden: int
    layers: int
    heads: int
    feed_forward: int
    batch: int
    learning_rate: float
    default_tokens: int
    warmup_steps: int = 20
    sequence_length: int = 256
    decay_share: float = 0.5  # of all steps, at the end, linearly to zero: worth .08 nats at 1 min
    beta1: float = 0.9
    beta2: float = 0.95
    weight_decay: float = 0.1  # on matrices only
    clip: float = 1.0  # norm of the whole gradient
    optimiser: str = "adamw"  # or "muon": for hidden matrices, with AdamW for the rest
    muon_rate: float = 0.01  # peak rate of Muon; `learning_rate` is that of AdamW

    @property
    def tokens_per_step(self) -> int:
        """Tokens of one optimiser step."""
        return self.batch * self.sequence_length

    def parameters(self, vocab_size: int) -> int:
        """Number of parameters with tied embeddings; see the module's formula."""
        d, f = self.hidden, self.feed_forward
        return vocab_size * d + self.layers * (4 * d * d + 3 * d * f + 2 * d) + d

    def steps(self, tokens: int) -> int:
        """Optimiser steps nearest to a budget of `tokens`; ConfigError below one batch."""
        if tokens < self.tokens_per_step:
            raise ConfigError(
                f"The token budget is smaller than one batch of size {self.name!r}.",
                where="tokens",
                value=tokens,
                next_step=f"give at least {self.tokens_per_step:,}; "
                f"the default is {self.default_tokens:,}",
            )
        return round(tokens / self.tokens_per_step)


SIZES = {
    size.name: size
    for size in (
        ProxySize("nano", 64, 3, 4, 192, 8, 3e-3, 1_700_000, sequence_length=128),
        ProxySize("micro", 128, 3, 4, 384, 4, 1.5e-3, 4_000_000),
        ProxySize("mini", 192, 5, 6, 512, 8, 1.4e-3, 11_000_000),
        ProxySize("small", 320, 7, 5, 864, 16, 1.2e-3, 36_000_000, warmup_steps=40),
        ProxySize("base", 512, 9, 8, 1376, 32, 1e-3, 110_000_000, warmup_steps=40),
        ProxySize("125m", 768, 12, 12, 2048, 64, 6e-4, 2_500_000_000, 200, 1024),
    )
}


def get_size(name: str) -> ProxySize:
    """The size called `name`; ConfigError that names the nearest one."""
    if name not in SIZES:
        raise ConfigError("Unknown proxy size.", value=name, next_step=nearest(name, SIZES))
    return SIZES[name]
