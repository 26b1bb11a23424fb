"""Exports read by the trainers' own parsers, in an environment apart: `make trainers`."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

EXPORTS = Path(os.environ["MIXLAB_EXPORTS"])
SEQUENCE = 128


@pytest.mark.parametrize(
    ("phase", "weights"), [("01_broad", [1 / 3, 2 / 3]), ("02_sharpen", [0.3, 0.7])]
)
def test_megatron_reads_the_blend(phase, weights):
    from megatron.core.datasets.utils import get_blend_from_list

    folder = EXPORTS / "megatron"
    words = (folder / f"{phase}.blend.txt").read_text().split()
    prefixes, parsed = get_blend_from_list(words)
    assert prefixes == [f"data/{phase}/{s}_text_document" for s in ("short", "long")]
    assert parsed == pytest.approx(weights, abs=1e-12)
    splits = json.loads((folder / f"{phase}.per_split.json").read_text())
    assert get_blend_from_list(splits["train"]) == (prefixes, parsed)
    assert splits["valid"] is None
    assert splits["test"] is None


@pytest.mark.parametrize(
    ("phase", "tokens", "shares"),
    [
        ("01_broad", 300_000, {"short": 1 / 3, "long": 2 / 3}),
        ("02_sharpen", 100_000, {"short": 0.3, "long": 0.7}),
    ],
)
def test_olmo_core_builds_the_mixture(phase, tokens, shares, monkeypatch):
    from olmo_core.data.source_mixture import SourceMixtureDatasetConfig, SourceMixtureList

    monkeypatch.chdir(EXPORTS / "olmo-core")
    sources = SourceMixtureList.from_yaml(f"{phase}.yaml")
    sources.validate()
    for source in sources.sources:
        source.validate()
    config = SourceMixtureDatasetConfig(
        source_list=sources,
        requested_tokens=tokens,
        global_batch_size=SEQUENCE * 8,
        processes=1,
        seed=0,
    )
    built = config.build(npdtype=np.uint16, sequence_length=SEQUENCE)
    drawn = {}
    for source in built.sources:
        drawn[source.name] = sum(path.tokens for path in source.path_tokens)
    total = sum(drawn.values())
    assert total == pytest.approx(tokens, rel=0.02)
    for name, share in shares.items():
        assert drawn[name] / total == pytest.approx(share, abs=0.01)


def test_olmo_core_reads_the_token_files():
    raw = np.fromfile(EXPORTS / "olmo-core/data/01_broad/short/part-00000.npy", np.uint16)
    assert raw.max() < 512
    ends = (raw == 0).sum()
    assert 700 < ends <= 800, "one end-of-text id after each training document"
