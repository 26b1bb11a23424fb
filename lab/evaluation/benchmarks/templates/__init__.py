"""Templates: the words around an item, one YAML file a benchmark, the same for every model.

    source       where the benchmark was published
    continuation what is scored after the context in cloze form (default: ` {choice}`)
    shot         what stands there in a shot instead (default: the continuation)
    shots_by     a field of `meta`; an item sees shots of its own value of it (MMLU: the subject)
    cloze        header (once, before the shots), context, and harness: the task of
    letters      lm-evaluation-harness 0.4.13 whose prompts it equals, if it does
    paraphrased  the same content in other words, under the name `NAME/paraphrased`; for twins

Fields in braces: `question`, `choice`, `letter`, `options` (all choices as lines `A. ...`),
`answer`, `before` and `after` (the question at its blank `_`), and `meta.KEY`. A field that an item
lacks is empty.

The harness puts one space before every choice, even where nothing stands before it (BLiMP) or
where white space stands there already; so do these templates, except for code and `plain`. Where it
sums likelihoods its sums are equal then too; GSM8K and TriviaQA it generates and reads, so theirs
is the prompt of its task and no more. Shots are equal where it takes the first as well (MMLU);
elsewhere it draws them.

The protocol of a benchmark is form, number of shots and template. It is one for every model, at
temperature 0, with fixed shots in a fixed order, as phi-3 reports of its own evaluations (Abdin et
al. 2024, arXiv:2404.14219, section 3): a prompt tuned per model would measure the tuning too.

Where it fails: letters ask for a symbol instead of the text, which models below about 1B parameters
do not do (they sit on the chance line); cloze, the default, favours likely wording.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from lab.core.errors import ConfigError, nearest
from lab.core.files import read_yaml
from lab.core.settings import from_mapping, known_keys

FORMS: Final = ("cloze", "letters")
LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PARAPHRASED: Final = "/paraphrased"
KEYS = {"source", "continuation", "shot", "shots_by", "cloze", "letters", "paraphrased"}
FOLDER = Path(__file__).parent
FIELD = re.compile(r"\{([a-z_]+(?:\.\w+)?)\}")


@dataclass(frozen=True, slots=True)
class Protocol:
    """How the items of a benchmark are put to every model."""

    form: str = "cloze"  # the texts of the choices are scored; "letters": " A", " B", ...
    shots: int = 0
    template: str = "plain"


@dataclass(frozen=True, slots=True)
class Template:
    """The words around an item in one form."""

    context: str
    header: str = ""
    continuation: str = " {choice}"
    shot: str = ""  # "": the continuation
    shots_by: str = ""
    harness: str = ""
    source: str = ""


def template_names() -> list[str]:
    """The templates that can be asked for by name."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_template(name: str, form: str = "cloze") -> Template:
    """The template `name` in `form`; ConfigError if there is none, or it has no such form."""
    base, slash, variant = name.partition("/")
    if form not in FORMS:
        raise ConfigError("Unknown form of prompt.", value=form, next_step=nearest(form, FORMS))
    if base not in template_names() or (slash and f"/{variant}" != PARAPHRASED):
        raise ConfigError(
            "There is no such template.", value=name, next_step=nearest(base, template_names())
        )
    path = FOLDER / f"{base}.yaml"
    whole = known_keys(read_yaml(path), KEYS, str(path))
    forms = whole.pop("paraphrased", {}) if slash else whole
    whole.pop("paraphrased", None)
    words = forms.get(form)
    common = {key: value for key, value in whole.items() if key not in FORMS}
    if words is None:
        raise ConfigError(
            f"The template {name!r} has no {form} form.",
            value=form,
            next_step=nearest("", [f for f in FORMS if f in forms]),
        )
    if form == "letters":
        common = {**common, "continuation": "{letter}", "shot": ""}
    return from_mapping(Template, {**common, **words}, f"{path}.{form}")


def check_protocol(items: pl.DataFrame, protocol: Protocol) -> Template:
    """The template of `protocol`, if `items` can be put so; ConfigError says why not.

    Letters need choices, at most 26 of them; shots need a question before what is scored.
    """
    template = load_template(protocol.template, protocol.form)
    counts = items["choices"].list.len()
    if protocol.form == "letters" and not counts.is_between(2, len(LETTERS)).all():
        row = items.filter(~counts.is_between(2, len(LETTERS))).row(0, named=True)
        raise ConfigError(
            "Letters need two to 26 choices.",
            where=f"item {row['id']!r}",
            value=f"{len(row['choices'])} choices",
            next_step="use the cloze form, which takes any number",
        )
    if protocol.shots < 0:
        raise ConfigError("The number of shots is negative.", value=protocol.shots)
    if protocol.shots and protocol.form == "cloze" and (items["kind"] == "minimal_pair").any():
        raise ConfigError(
            "Minimal pairs are whole sentences scored from nothing: there is no prompt for shots.",
            value=protocol.shots,
            next_step="use 0 shots, or the letters form",
        )
    return template


def fill(template: str) -> pl.Expr:
    """A template as an expression over the columns of `prompts.fields`."""
    pieces = FIELD.split(template)
    parts = [
        field(piece) if number % 2 else pl.lit(piece)
        for number, piece in enumerate(pieces)
        if piece
    ]
    return pl.concat_str(parts) if parts else pl.lit("")


def field(name: str) -> pl.Expr:
    """One field: a column, or a value inside `meta`; empty where an item has none."""
    if name.startswith("meta."):
        return pl.col("meta").str.json_path_match(f"$.{name[5:]}").fill_null("")
    return pl.col(name).fill_null("")
