"""The proxy model: a plain Llama decoder, as `transformers` builds it from a small config.

RMSNorm, rotary positions, SwiGLU and tied embeddings (Touvron et al. 2023, arXiv 2302.13971). The
Hugging Face class is as fast as a hand-written one at these sizes, and its folder opens in every tool
of the field. Weights are drawn from N(0, 0.02) by a generator seeded with the run's seed only, so
two mixtures with the same seed, size and vocabulary begin at the same point.
"""

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from lab.proxy.sizes import ProxySize


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
        use_cache=False,
    )


def build_model(size: ProxySize, vocab_size: int, eot_id: int, seed: int) -> LlamaForCausalLM:
    """A new model in float32 on the CPU; same arguments, same weights, and no other state touched."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(model_config(size, vocab_size, eot_id))
