"""The field's benchmark files as their authors published them, by field names.

One row of the table below a format: the fields that tell it, its reader, the template that goes
with it and the kind of ability it asks for. A format is recognised by the fields of the first row
or named; the first that fits is taken, so rows stand from special to general. `plain` is the lab's
own form (question, choices, answer) and needs no reader.

Where it fails: OpenBookQA's file cannot be told from ARC's by its fields; name it (`--format`). The
readers know the files as of 2026; a renamed column is a DataError that lists the known formats.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lab.core.errors import ConfigError, DataError, nearest
from lab.evaluation.benchmarks.formats import answers, choices
from lab.evaluation.benchmarks.formats.fields import Row

GROUPS: Final = ("knowledge", "reasoning", "language", "code", "math")
Reader = Callable[[Row], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Format:
    """How one published file is told and read."""

    name: str
    fields: tuple[str, ...]  # alternatives, each the fields that must be there; see `fits`
    read: Reader
    template: str
    group: str = ""


FORMATS: Final = (
    Format("hellaswag", ("ctx_a ctx_b endings",), choices.hellaswag, "hellaswag", "reasoning"),
    Format("piqa", ("goal sol1 sol2",), choices.piqa, "piqa", "reasoning"),
    Format("winogrande", ("sentence option1 option2",), choices.winogrande, "winogrande",
           "reasoning"),
    Format("boolq", ("passage question",), choices.boolq, "boolq", "reasoning"),
    Format("sciq", ("question correct_answer distractor1",), choices.sciq, "sciq", "knowledge"),
    Format("commonsenseqa", ("question_concept choices", "question.question_concept"),
           choices.commonsenseqa, "commonsenseqa", "reasoning"),
    Format("openbookqa", ("question_stem choices", "question.stem fact1"),
           choices.science_question, "openbookqa", "knowledge"),
    Format("arc", ("question.stem question.choices", "question choices.label choices.text"),
           choices.science_question, "arc", "knowledge"),
    Format("mmlu", ("question A B C D answer", "=question choices answer subject"), choices.mmlu,
           "mmlu", "knowledge"),
    Format("truthfulqa", ("question mc1_targets", "Question Best_Answer Incorrect_Answers"),
           choices.truthfulqa, "truthfulqa", "knowledge"),
    Format("blimp", ("sentence_good sentence_bad",), choices.blimp, "blimp", "language"),
    Format("triviaqa", ("Question Answer.Value", "question answer.value"), answers.triviaqa,
           "triviaqa", "knowledge"),
    Format("gsm8k", ("question answer~####",), answers.gsm8k, "gsm8k", "math"),
    Format("humaneval", ("prompt canonical_solution",), answers.humaneval, "humaneval", "code"),
    Format("mbpp", ("code test_list",), answers.mbpp, "mbpp", "code"),
    Format("llm_foundry_schema", ("context_options continuation gold",), choices.foundry_schema,
           "winogrande", ""),
    Format("llm_foundry_choices", ("query choices gold",), choices.foundry_choices, "plain"),
    Format("llm_foundry_continuation", ("context continuation",), answers.foundry_continuation,
           "plain"),
    Format("llm_foundry_answer", ("context answer",), answers.foundry_answer, "plain"),
    Format("lambada", ("=text", "=text domain"), answers.lambada, "lambada", "language"),
    Format("plain", ("question", "choices", "answer", "answer_index"), dict, "plain"),
)  # fmt: skip
BY_NAME: Final = {known.name: known for known in FORMATS}

# By the beginning of a benchmark's name, for files in the lab's own form.
GROUP_OF: Final = {known.name: known.group for known in FORMATS if known.group} | {
    "facts": "knowledge", "reasoning": "reasoning", "arithmetic": "reasoning",
    "grammar": "language", "code": "code",
}  # fmt: skip


def by_name(name: str) -> Format:
    """The format called `name`; ConfigError names the nearest."""
    if name not in BY_NAME:
        raise ConfigError("Unknown format of benchmark.", value=name, next_step=known_formats(name))
    return BY_NAME[name]


def detect(row: object, where: str) -> Format:
    """The first format whose fields `row` has; DataError lists the known formats."""
    if isinstance(row, Mapping):
        for known in FORMATS:
            if any(fits(row, fields) for fields in known.fields):
                return known
    raise DataError(
        "This is no benchmark file of a known format.",
        where=where,
        value=sorted(map(str, row)) if isinstance(row, Mapping) else row,
        next_step=f"{known_formats('')}; or write rows "
        "{'question': ..., 'choices': [...], 'answer': index}",
    )


def fits(row: Row, fields: str) -> bool:
    """True if `row` has all `fields`; after `=` it must have no others."""
    names = fields.removeprefix("=").split()
    return all(has(row, name) for name in names) and (fields[0] != "=" or len(row) == len(names))


def has(row: Row, field: str) -> bool:
    """True if the row has `field`; `a.b` is b inside the object a, `a~b` b inside the text a."""
    key, point, inner = field.partition(".")
    key, wave, mark = key.partition("~")
    key = key if key in row else key.replace("_", " ")
    value = row.get(key)
    if point:
        return isinstance(value, Mapping) and inner in value
    return isinstance(value, str) and mark in value if wave else key in row


def known_formats(name: str) -> str:
    """What can be named, nearest first."""
    return nearest(name, BY_NAME) if name else "known: " + ", ".join(sorted(BY_NAME))


def default_group(name: str, known: Format, template: str) -> str:
    """What a benchmark asks for: by format, template, or how its name begins; "" if unknown."""
    if known.group or template in GROUP_OF:
        return known.group or GROUP_OF[template]
    fitting = [start for start in GROUP_OF if name.lower().startswith(start)]
    return GROUP_OF[max(fitting, key=len)] if fitting else ""
