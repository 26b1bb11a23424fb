"""Where pages, settings and sample data lie: in the repository, or inside an installed wheel.

A wheel carries `pages`, `sample_data` and `.streamlit` under `lab/_bundle/`, so that nothing but
the package `lab` lands on the top level of site-packages.
"""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def bundled(name: str) -> Path:
    """The file or folder `name` of the repository's top level, wherever it was installed."""
    inside = PACKAGE / "_bundle"
    return (inside if inside.is_dir() else PACKAGE.parent) / name
