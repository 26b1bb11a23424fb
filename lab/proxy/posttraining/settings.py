"""Post-training settings: frozen per size and stage, equal for all parents.

As in pretraining (`lab.proxy.sizes`), a comparison is only fair if everything but the parent is the
same, so rates are chosen once on one parent and never per mixture. A rate is a share of the size's
own pretraining rate, which already carries what the width asks for:

    sft    0.5    300 steps of 16 chats
    dpo    0.05   100 steps of 16 pairs, beta 0.1 (the authors' own)

Where the numbers come from: one `nano` parent (balanced mixture of the sample world, 0.8M tokens),
300 steps of `sft` on its exercises; accuracy on reasoning and its twin (which asks as chats do),
and bits per byte of the facts benchmark, which is what fine-tuning forgets:

    share       parent   0.15    0.5     1.0
    reasoning   .432     .507    .670    .672
    twin        .312     .650    .815    .968
    facts bpb   0.40     0.53    1.08    1.59

0.5 lifts reasoning as much as 1.0 and forgets less. `dpo` after it, 100 steps: shares 0.05 and 0.2
both order .94 of the pairs rightly and leave accuracy where it was (reasoning .677 and .685); 0.2
makes right answers much less likely (twin .40 bits per byte against .13 at 0.05 and .09 before), as
is known of the method. One seed each; 24 and 18 CPU-seconds a run.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from lab.core.errors import ConfigError, nearest
from lab.proxy.sizes import ProxySize

Stage = Literal["sft", "dpo"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a stage trains; `batch` is in chats or pairs."""

    stage: str
    steps: int
    batch: int
    rate_share: float  # of the size's pretraining rate
    warmup_share: float = 0.1  # of the steps; then linearly to zero
    beta2: float = 0.95
    clip: float = 1.0
    beta: float = 0.1  # of DPO: how dear it is to leave the parent's distribution

    def learning_rate(self, size: ProxySize) -> float:
        """The highest rate at `size`."""
        return self.rate_share * size.learning_rate

    def mapping(self) -> dict[str, Any]:
        """As plain values, for run.json."""
        return asdict(self)


STAGES = {
    "sft": Settings("sft", 300, 16, 0.5),
    "dpo": Settings("dpo", 100, 16, 0.05),
}


def get_settings(stage: str, steps: int | None = None) -> Settings:
    """The settings of `stage`, over `steps` steps; ConfigError for an unknown stage or no step."""
    if stage not in STAGES:
        raise ConfigError("Unknown stage.", value=stage, next_step=nearest(stage, STAGES))
    fixed = STAGES[stage]
    if steps is None:
        return fixed
    if steps < 1:
        raise ConfigError("A stage takes at least one step.", where="--steps", value=steps)
    return replace(fixed, steps=steps)
