"""A Llama decoder for scoring: the function of the library's class, without what scoring wastes.

The hidden states of trees of tokens (see `likelihood`), in fp32. Against `LlamaForCausalLM` on the
same rows it saves, with no change beyond rounding:

- the last layer's output and feed-forward products, and the head, at positions that nobody reads
  (44 % of the tokens of four-choice items are read);
- keys and values of a beginning that all rows share, such as few-shot examples: computed once;
- products: query, key and value in one, gate and up in one, with the gains of the norms and the
  attention's 1/sqrt(width) multiplied into the matrices beforehand;
- attention as two plain products and a softmax. Rows are short here, 60 tokens; there it takes 0.75
  of the time of the blocked kernel behind `sdpa`.

Together 1.3 times the items a second at `micro`, one thread (600 items of ARC-Easy). It holds a
second copy of the weights. Where it fails: any other architecture; `decoder_of` compares it with
the model on one row and refuses what it does not reproduce.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import embedding, linear, silu

from lab.core.errors import ConfigError

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CLOSE = 1e-3  # largest difference of logits from the model's, as a share of 1 + the largest logit

Cache = list[tuple[Tensor, Tensor]]  # per layer: keys and values [heads, length, width]


@dataclass(frozen=True, slots=True)
class Layer:
    """Matrices of one layer, [out, in], with the gains of the norms before them multiplied in."""

    qkv: Tensor  # queries scaled by 1/sqrt(width)
    out: Tensor
    gate_up: Tensor
    down: Tensor


@dataclass(frozen=True, slots=True)
class Decoder:
    """A Llama model's weights, laid out for scoring."""

    tokens: Tensor  # embedding, [V, d]
    layers: list[Layer]
    head: Tensor  # [V, d], the last norm's gain multiplied in
    cosine: Tensor  # [positions, width / 2]
    sine: Tensor
    heads: int
    shared: int  # query heads for each head of keys and values
    width: int  # of a head
    epsilon: float

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.tokens.device

    def hidden(
        self,
        tokens: Tensor,
        positions: Tensor,
        mask: Tensor,
        *,
        read: Tensor | None = None,
        before: Cache | None = None,
        kept: Cache | None = None,
    ) -> Tensor:
        """Normed hidden states [read, d] at the flat places `read` (default: all) of [B, L] tokens.

        `mask` [B or 1, 1, L, L] is added to the scores of a row's own tokens. All tokens see
        `before`. Keys and values of a single row are added to `kept`, if given.
        """
        batch, length = tokens.shape
        at = positions.reshape(-1)
        turn = self.cosine[at][:, None], self.sine[at][:, None]
        x = embedding(tokens.reshape(-1), self.tokens)
        for index, layer in enumerate(self.layers):
            last = index == len(self.layers) - 1
            query, key, value = self.project(layer, x, turn, batch, length)
            if kept is not None:
                kept.append((key[0], value[0]))
            mixed = attend(query, key, value, mask, before[index] if before else None)
            if last and read is not None:
                x, mixed = x[read], mixed[read]
            x = x + linear(mixed, layer.out)
            gate, up = linear(self.normed(x), layer.gate_up).chunk(2, -1)
            x = x + linear(silu(gate).mul_(up), layer.down)
        return self.normed(x)

    def project(
        self, layer: Layer, x: Tensor, turn: tuple[Tensor, Tensor], batch: int, length: int
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values [B, heads, L, width] of states [B L, d], positions turned in."""
        parts = linear(self.normed(x), layer.qkv).view(batch * length, -1, self.width)
        groups = self.heads // self.shared
        turned, value = parts.split((self.heads + groups, groups), 1)
        cosine, sine = turn
        low, high = turned.chunk(2, -1)
        turned = torch.cat((low * cosine - high * sine, high * cosine + low * sine), -1)
        query, key = turned.split((self.heads, groups), 1)
        shape = (batch, length, -1, self.width)
        query, key, value = (part.reshape(shape).transpose(1, 2) for part in (query, key, value))
        if self.shared > 1:
            key, value = (part.repeat_interleave(self.shared, 1) for part in (key, value))
        return query, key, value

    def normed(self, x: Tensor) -> Tensor:
        """`x` over its root mean square."""
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon)


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor, before: tuple[Tensor, Tensor] | None
) -> Tensor:
    """What queries [B, h, L, w] gather from their row and from `before`: [B L, h w]."""
    batch, heads, length, width = query.shape
    scores = query @ key.transpose(2, 3) + mask
    if before is None:
        mixed = torch.softmax(scores, -1) @ value
    else:
        shape = (batch, heads, -1, width)
        old_key, old_value = (part.expand(batch, -1, -1, -1).reshape(shape) for part in before)
        weights = torch.softmax(torch.cat((query @ old_key.transpose(2, 3), scores), -1), -1)
        mixed = weights @ torch.cat((old_value, value), 2)
    return mixed.transpose(1, 2).reshape(batch * length, heads * width)


def decoder_of(model: "PreTrainedModel") -> Decoder:
    """The decoder of a Llama model, checked against it on one row; call it without gradients.

    Raises ConfigError if the model is no Llama, or does not compute what a plain one computes.
    """
    config: Any = model.config
    if config.model_type != "llama":
        raise not_plain(model, f"model_type {config.model_type!r}")
    body: Any = model.base_model
    width = body.layers[0].self_attn.head_dim
    places = torch.arange(config.max_position_embeddings, device=model.device)[None]
    weight = body.embed_tokens.weight.float()
    cosine, sine = body.rotary_emb(weight[:1], places)
    decoder = Decoder(
        tokens=weight,
        layers=[layer_of(layer, width) for layer in body.layers],
        head=model.get_output_embeddings().weight.float() * body.norm.weight.float(),
        cosine=cosine[0, :, : width // 2],
        sine=sine[0, :, : width // 2],
        heads=config.num_attention_heads,
        shared=config.num_attention_heads // config.num_key_value_heads,
        width=width,
        epsilon=config.rms_norm_eps,
    )
    check(decoder, model)
    return decoder


def layer_of(layer: Any, width: int) -> Layer:
    """The matrices of one layer of the library's class."""
    attention, feed = layer.self_attn, layer.mlp
    first = layer.input_layernorm.weight.float()
    second = layer.post_attention_layernorm.weight.float()
    query = attention.q_proj.weight.float() * width**-0.5
    projections = (query, attention.k_proj.weight.float(), attention.v_proj.weight.float())
    return Layer(
        qkv=torch.cat(projections) * first,
        out=attention.o_proj.weight.float(),
        gate_up=torch.cat((feed.gate_proj.weight.float(), feed.up_proj.weight.float())) * second,
        down=feed.down_proj.weight.float(),
    )


def check(decoder: Decoder, model: "PreTrainedModel") -> None:
    """ConfigError unless both give the same logits on the first tokens of the vocabulary."""
    count = min(16, len(decoder.tokens), len(decoder.cosine))
    tokens = torch.arange(count, device=decoder.device)[None]
    mine = linear(decoder.hidden(tokens, tokens, causal(count, decoder.device)), decoder.head)
    theirs = model(input_ids=tokens, use_cache=False).logits[0].float()
    difference = (mine - theirs).abs().max()
    if not bool(difference <= CLOSE * (1 + theirs.abs().max())):
        raise not_plain(model, f"logits differ by {float(difference):.3g}")


def causal(length: int, device: torch.device) -> Tensor:
    """The mask under which each token sees itself and all before it: [1, 1, L, L]."""
    future = torch.full((length, length), float("-inf"), device=device)
    return future.triu(1)[None, None]


def not_plain(model: "PreTrainedModel", value: str) -> ConfigError:
    """What to say of a model that this decoder does not reproduce."""
    return ConfigError(
        "This model is not a plain Llama decoder; it cannot be scored here.",
        where=type(model).__name__,
        value=value,
        next_step="score it with another harness: `mixlab benchmark export` writes the items",
    )
