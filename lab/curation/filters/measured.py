"""What a rule needs of a column: that it is there, of the right type, and has a value everywhere.

A value that was never measured passes nothing: a missing column and a null or NaN value are errors,
because letting either pass, or fall unnoticed, changes a corpus without a word. (Dolma's published
v1.5 and v1.6 configurations test an attribute under a misspelt name, so that rule never matched.)
"""

import polars as pl

from lab.core.errors import ArtifactMissing, ConfigError, DataError, LabError, nearest
from lab.curation.filters.rule import Rule
from lab.curation.signals.registry import BY_ID, DEFAULTS
from lab.curation.topics import PREFIX as TOPIC

TEXT = (pl.String, pl.Categorical, pl.Enum)


def check_measured(frame: pl.DataFrame, rule: Rule) -> None:
    """Raise unless every row has a value of the right type in every column the rule reads."""
    for column in rule.columns():
        if column not in frame.columns:
            raise unmeasured_column(frame, column)
        if not rule.where:
            check_type(frame, rule)
        check_values(frame[column])


def check_values(values: pl.Series) -> None:
    """DataError if a value is null or NaN."""
    missing = values.null_count()
    if values.dtype.is_float():
        missing += int(values.is_nan().sum())  # nulls are not counted by is_nan
    if missing:
        raise DataError(
            f"{missing} of {values.len()} documents have no value of {values.name}.",
            where=f"rule on {values.name}",
            next_step=how_to_complete(values.name),
        )


def how_to_complete(column: str) -> str:
    """What gives every document a value."""
    if not column.startswith(TOPIC):
        return "measure again; a document that was not measured passes no rule"
    return (
        "`mixlab embed --sample N` with the number of all documents and the map's encoder, then "
        f"`mixlab map --onto {column.removeprefix(TOPIC)}`; what lies on no map passes no rule"
    )


def check_type(frame: pl.DataFrame, rule: Rule) -> None:
    """ConfigError unless the column's type suits a rule with bounds or with a list."""
    dtype = frame[rule.signal].dtype
    where = f"rule on {rule.signal}"
    if rule.bounded:
        if not (dtype.is_numeric() or dtype == pl.Boolean):
            raise ConfigError(
                "A rule needs a column of numbers.",
                where=where,
                value=str(dtype),
                next_step="write `in: [...]` for a column of text; "
                + nearest(rule.signal, numeric_columns(frame)),
            )
        return
    wanted = bool if dtype == pl.Boolean else str
    if dtype != pl.Boolean and dtype not in TEXT:
        raise ConfigError(
            "A list of values needs a column of text, or of true and false.",
            where=where,
            value=str(dtype),
            next_step="write `min` and `max` for a column of numbers",
        )
    for value in (*rule.values, *rule.not_values):
        if not isinstance(value, wanted):
            raise ConfigError(
                f"{rule.signal} holds {'true and false' if wanted is bool else 'text'}.",
                where=where,
                value=value,
                next_step='YAML reads a bare no, yes, on or off as true or false: write "no"',
            )


def unmeasured_column(frame: pl.DataFrame, column: str) -> LabError:
    """The error for a rule whose column is not there."""
    where = f"rule on {column}"
    if column in BY_ID:
        return ArtifactMissing(
            f"The signal {column} has not been measured.",
            where=where,
            next_step="`mixlab measure` computes it",
        )
    if column.startswith("quality."):
        return ArtifactMissing(
            f"The score {column} has not been computed.",
            where=where,
            next_step="`mixlab score` computes it",
        )
    return ConfigError(
        f"Unknown signal {column!r}.",
        where=where,
        value=column,
        next_step=nearest(column, [*DEFAULTS, *frame.columns]),
    )


def numeric_columns(frame: pl.DataFrame) -> list[str]:
    """Names of the columns that a rule with bounds could read."""
    return [name for name, dtype in frame.schema.items() if dtype.is_numeric()]
