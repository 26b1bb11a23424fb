"""Columns of tables that several pages show: whole numbers with separators, shares in percent."""

from streamlit.column_config import NumberColumn
from streamlit.elements.lib.column_types import ColumnConfig


def whole(title: str | None = None, *, width: int = 85, explain: str | None = None) -> ColumnConfig:
    """A count of documents or tokens."""
    return NumberColumn(title, format="localized", width=width, help=explain)


def share(title: str | None = None, *, width: int = 70) -> ColumnConfig:
    """A share between 0 and 1, shown in percent."""
    return NumberColumn(title, format="percent", width=width)
