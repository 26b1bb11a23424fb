"""Presets: data files that decide as the published filters do."""

import json
from pathlib import Path

import polars as pl
import pytest

from lab.core.errors import ConfigError
from lab.curation.filters.mask import fail_mask
from lab.curation.filters.parsing import parse_rules
from lab.curation.filters.rule import Rule
from lab.curation.presets import (
    Preset,
    load_preset,
    parse_preset,
    preset_names,
    three_sigma,
)
from lab.curation.signals import BY_ID, compute

GOLDEN = json.loads((Path(__file__).parent / "golden" / "signals.json").read_text("utf-8"))
TEXTS = GOLDEN["texts"]


@pytest.fixture(scope="module")
def signals() -> pl.DataFrame:
    return compute(pl.DataFrame({"text": [entry["text"] for entry in TEXTS]}))


def first_reasons(preset: Preset, signals: pl.DataFrame, start: int = 0) -> list[str]:
    """The original's name of the first rule from `start` on that each document fails, or `kept`."""
    found = []
    for mask, row in zip(
        fail_mask(signals, preset.rules), signals.iter_rows(named=True), strict=True
    ):
        mask = mask >> start << start
        first = (mask & -mask).bit_length() - 1
        if first < 0:
            found.append("kept")
            continue
        rule, names = preset.rules[first], preset.reasons[first]
        below = rule.min is not None and row[rule.signal] < rule.min
        found.append(names[0] if below else names[-1])
    return found


def test_gopher_gives_datatroves_first_reason(signals):
    found = first_reasons(load_preset("gopher-datatrove"), signals)
    for entry, reason in zip(TEXTS, found, strict=True):
        verdicts = entry["verdicts"]
        wanted = verdicts["repetition"] if verdicts["repetition"] != "kept" else verdicts["quality"]
        # datatrove knows no words in an empty text; the lab counts none
        assert reason == wanted.replace("empty", "gopher_short_doc"), entry["name"]


def test_fineweb_rules_give_datatroves_first_reason(signals):
    found = first_reasons(load_preset("fineweb-code"), signals, start=24)
    wanted = [e["verdicts"]["fineweb"].replace("empty", "line_punct_ratio") for e in TEXTS]
    assert found == wanted


@pytest.mark.parametrize(
    ("name", "key", "start"), [("c4", "c4", 0), ("fineweb-code", "c4 fineweb", 21)]
)
def test_c4_drops_what_datatrove_drops(signals, name, key, start):
    preset = load_preset(name)
    rules = preset.rules[start : start + 3]
    assert [r.signal.split(".")[0] for r in rules] == ["c4"] * 3
    dropped = fail_mask(signals, rules) != 0
    assert dropped.to_list() == [entry["verdicts"][key] != "kept" for entry in TEXTS]


def test_names():
    assert set(preset_names()) == {
        "3-sigma",
        "c4",
        "curator-en",
        "dolma-1.6",
        "fineweb-code",
        "fineweb-paper",
        "gopher-datatrove",
        "gopher-paper",
        "gopher-unicode",
        "refinedweb-dclm",
    }


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_says_what_it_is_and_what_it_is_not(name):
    preset = load_preset(name)
    assert preset.name == name
    assert "arXiv:" in preset.source
    assert preset.rules or preset.computed
    assert preset.left_out
    assert set(preset.signals()) <= set(BY_ID)
    assert len(preset.rules) == len(preset.reasons) == len(preset.drops)
    assert all(words.startswith("documents") for words in preset.drops)
    for rule, reasons in zip(preset.rules, preset.reasons, strict=True):
        assert len(reasons) == (rule.min is not None) + (rule.max is not None)


def test_code_and_paper_of_fineweb_differ_in_one_threshold():
    code, paper = load_preset("fineweb-code").rules, load_preset("fineweb-paper").rules
    changed = [pair for pair in zip(code, paper, strict=True) if pair[0] != pair[1]]
    signal = "fineweb.dup_line_chars@dt1"
    assert changed == [(Rule(signal, max=0.01), Rule(signal, max=0.1))]


def test_thresholds_of_table_a1():
    """Rae et al. 2021, table A1, typed from the paper."""
    bounds = {
        rule.signal.split(".")[1].split("@")[0]: rule.max
        for rule in load_preset("gopher-paper").rules
    }
    assert [bounds[f"top_{n}_gram"] for n in (2, 3, 4)] == [0.2, 0.18, 0.16]
    assert [bounds[f"dup_{n}_gram"] for n in range(5, 11)] == [0.15, 0.14, 0.13, 0.12, 0.11, 0.1]
    assert [bounds[k] for k in ("dup_lines", "dup_paras")] == [0.3, 0.3]
    assert [bounds[k] for k in ("dup_line_chars", "dup_para_chars")] == [0.2, 0.2]


def test_the_paper_counts_words_of_symbols_and_datatrove_does_not():
    text = "the lamp and " + "-- " * 40 + "rope " * 10
    found = compute(pl.DataFrame({"text": [text]}))
    paper, code = (load_preset(f"gopher-{k}") for k in ("paper", "datatrove"))
    assert [r.min for r in paper.rules if r.signal == "basic.words@ws1"] == [50]
    assert fail_mask(found, [paper.rules[0]])[0] == 0
    short = next(r for r in code.rules if r.signal == "gopher.word_count@ws1")
    assert fail_mask(found, [short])[0] == 1


def bounds(name: str) -> dict[str, tuple[float | None, float | None]]:
    return {rule.signal: (rule.min, rule.max) for rule in load_preset(name).rules}


def test_thresholds_of_dolma_1_6():
    """configs/dolma-v1_6/mixing/cc-head.yaml, typed from the file: 15 rules that can match."""
    limits = [(50, 100_000), (3, 10), (None, 0.1), (0.8, None), (2, None), (None, 0.9)]
    limits += [(None, x) for x in (0.3, 0.3, 0.3, 0.15, 0.14, 0.13, 0.12, 0.11, 0.1)]
    found = bounds("dolma-1.6")
    assert list(found.values()) == limits
    assert found["repetition.dup_line_chars@dol1"] == (None, 0.3)  # not Gopher's 0.2
    assert not any(".top_" in signal for signal in found)


def test_thresholds_of_refinedweb_and_curator():
    """Typed from refinedweb.yaml, massive_web_repetition_filters and Curator's configuration."""
    top, dup = [0.2, 0.18, 0.16], [0.15, 0.14, 0.13, 0.12, 0.11, 0.1]
    limits = [(50, 100_000), (3, 10), (None, 0.1), (None, 0.9), (None, 0.3), (0.8, None), (2, None)]
    limits += [(None, x) for x in (0.3, 0.3, 0.2, 0.2, *top, *dup)]
    assert list(bounds("refinedweb-dclm").values()) == limits
    limits = [(None, x) for x in (0.25, 0.1, 0.15, 0.2, 0.25, 0.1, 0.4)]
    limits += [(0.7, None), (0.7, None), (0.8, None), (0.8, None), (50, 100_000), (None, 0.85)]
    limits += [(0.8, None), (2, None), (3, 10), (None, 1000), (None, 0.3)]
    limits += [(None, x) for x in (*top, *dup, 0.9)]
    assert list(bounds("curator-en").values()) == limits


def test_gopher_unicode_differs_from_gopher_in_the_splitter_alone():
    """Same thresholds in the same order; the definition differs where words enter."""
    one, other = load_preset("gopher-datatrove"), load_preset("gopher-unicode")
    assert [(r.min, r.max) for r in one.rules] == [(r.min, r.max) for r in other.rules]
    names = [[s.replace("@ws1", "@uw1") for s in p.signals()] for p in (one, other)]
    assert names[0] == names[1]
    assert one.reasons == other.reasons


def test_three_sigma_computes_its_thresholds(signals):
    preset = load_preset("3-sigma")
    assert preset.rules == () and preset.signals() == preset.computed
    rules = three_sigma(signals, preset.computed)
    assert {rule.signal for rule in rules} <= set(preset.computed)
    for rule in rules:
        values = signals[rule.signal].to_numpy().astype(float)
        for side, sign in ((rule.min, -1), (rule.max, 1)):
            if side is not None:
                exact = values.mean() + sign * 3 * values.std()
                assert side == pytest.approx(exact, rel=1e-3)  # four digits,
                assert (side - exact) * sign >= 0  # and no document more falls
    assert 0 < (fail_mask(signals, rules) != 0).sum() < signals.height


def test_a_computed_preset_is_no_rule_of_a_recipe():
    with pytest.raises(ConfigError, match="computed from a source"):
        parse_rules([{"preset": "3-sigma"}], "filters")
    with pytest.raises(ConfigError, match="computed from a source"):
        parse_preset(f"{HEAD}rules: [{{preset: 3-sigma}}]", "mine")


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ConfigError) as error:
        load_preset("fineweb_code")
    assert "fineweb-code" in error.value.next_step


HEAD = "name: mine\ntitle: t\nsource: s\nleft_out: []\n"
RULE = "{signal: gopher.word_count@ws1, min: 1, reasons: [few], drops: documents without words}"


def test_a_preset_is_a_file_anyone_can_write():
    preset = parse_preset(f"{HEAD}rules:\n- {RULE}\n- preset: c4\n", "mine")
    assert preset.rules[0] == Rule("gopher.word_count@ws1", min=1)
    assert preset.rules[1:] == load_preset("c4").rules


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD, "'rules' is missing"),
        (f"{HEAD}rules: [{RULE}]\nrule: []", "Unknown key 'rule'"),
        (f"{HEAD}rules: [{RULE.replace('min', 'minimum')}]", "Unknown key 'minimum'"),
        (f"{HEAD}rules: [{RULE.replace('[few]', '[few, many]')}]", "one reason per threshold"),
        (f"{HEAD}rules: [{{preset: nowhere}}]", "Unknown preset"),
        (f"{HEAD}rules: [{RULE}]\ncomputed: [basic.words]", "Unknown key 'rules'"),
        (f"{HEAD}computed: [basic.wordz]", "Unknown signal"),
        (f"{HEAD.replace('mine', 'yours')}rules: [{RULE}]", "named as its file"),
    ],
)
def test_a_malformed_preset_is_refused(text, complaint):
    with pytest.raises(ConfigError, match=complaint):
        parse_preset(text, "mine")
