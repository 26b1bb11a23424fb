"""Mixture Lab: which data, how much of each, and how do we know?

The packages are the rooms of the house, entered left to right along the flow:
`core` (knows no stage), `corpus`, `curation`, `diversity`, `mixture`, `proxy`, `evaluation`,
`advice`, `export`; `jobs`, `ui` and `cli` call the stages and are called by nobody.
"""

__version__ = "0.2.0"
