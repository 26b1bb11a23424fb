"""The pages in the order of the flow, and links between them that carry what is looked at."""

from dataclasses import dataclass

import streamlit as st

from lab.core.bundle import bundled


@dataclass(frozen=True, slots=True)
class View:
    """One page: `name` (file and URL), title, icon, section of the menu, what it answers."""

    name: str
    title: str
    icon: str
    section: str
    question: str


VIEWS = (
    View(
        "overview",
        "Overview",
        ":material/conversion_path:",
        "",
        "Where does this workspace stand, and what comes next?",
    ),
    View(
        "sources",
        "Sources",
        ":material/database:",
        "Data",
        "Which text is here, how much of it, and what was refused?",
    ),
    View(
        "browse",
        "Browse",
        ":material/article:",
        "Data",
        "What do these documents look like, and why does one fall?",
    ),
    View(
        "map",
        "Map",
        ":material/scatter_plot:",
        "Data",
        "What is the text about, and where do the sources overlap?",
    ),
    View(
        "filters",
        "Filters",
        ":material/filter_alt:",
        "Decide",
        "What does each threshold take, in documents and in tokens?",
    ),
    View(
        "edits",
        "Text edits",
        ":material/edit_note:",
        "Decide",
        "What would each edit change, and is the text better for it?",
    ),
    View(
        "duplicates",
        "Duplicates",
        ":material/content_copy:",
        "Decide",
        "Which text is there twice, whose copy stays, and what is left of each source?",
    ),
    View(
        "contamination",
        "Contamination",
        ":material/coronavirus:",
        "Decide",
        "Which documents quote a benchmark, and what does removing them cost?",
    ),
    View(
        "quality",
        "Quality",
        ":material/school:",
        "Decide",
        "Which documents would a teacher keep, and how far can the score be trusted?",
    ),
    View(
        "selecting",
        "Select",
        ":material/checklist:",
        "Decide",
        "Which documents keep the most breadth within a budget of tokens?",
    ),
    View(
        "mixture",
        "Mixture",
        ":material/balance:",
        "Decide",
        "How much of each source, and how often would it repeat?",
    ),
    View(
        "benchmarks",
        "Benchmarks",
        ":material/quiz:",
        "Measure",
        "What are models asked, in which words, and how well would a guess do?",
    ),
    View(
        "runs",
        "Proxy runs",
        ":material/model_training:",
        "Measure",
        "What do small models learn from it, and how is training going?",
    ),
    View(
        "compare",
        "Compare",
        ":material/compare_arrows:",
        "Measure",
        "Which mixture is better, at what, and is the difference real?",
    ),
    View(
        "advice",
        "Advice",
        ":material/assistant_direction:",
        "Measure",
        "What do the runs suggest trying next, and how sure is that?",
    ),
    View(
        "export",
        "Export",
        ":material/output:",
        "Hand over",
        "Which files does the real trainer need?",
    ),
    View(
        "jobs",
        "Jobs",
        ":material/pending_actions:",
        "Hand over",
        "What is running, what has run, and what went wrong?",
    ),
)


def menu() -> dict[str, list[st.Page]]:
    """The pages by section, for `st.navigation`."""
    sections: dict[str, list[st.Page]] = {}
    for view in VIEWS:
        page = st.Page(
            path(view.name),
            title=view.title,
            icon=view.icon,
            default=view.name == "overview",
            help=view.question,
        )
        sections.setdefault(view.section, []).append(page)
    return sections


def path(name: str) -> str:
    """The file of page `name`."""
    return str(bundled("pages") / f"{name}.py")


def view_of(name: str) -> View:
    """The view called `name`."""
    return next(view for view in VIEWS if view.name == name)
