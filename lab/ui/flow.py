"""Where a workspace stands: each station of the flow with what is there, missing or stale.

Read from files and manifests only, so it costs milliseconds at any size. The first station that is
not done is the next step; a stale one was made before what it depends on changed.
"""

from dataclasses import dataclass

from lab.core.errors import ArtifactMissing, LabError
from lab.core.workspace import Workspace
from lab.corpus.sources import Source, list_sources
from lab.curation.contamination import require_contamination
from lab.curation.duplicates import MinHash
from lab.curation.duplicates.find import require_duplicates
from lab.mixture.recipe_files import list_recipes
from lab.ui.formats import compact, plural
from lab.ui.measuring import signals_state, tokens_counted
from lab.ui.source_table import token_count
from lab.ui.tables import manifests

DONE, MISSING, STALE, OPTIONAL = "done", "to do", "stale", "optional"


@dataclass(frozen=True, slots=True)
class Station:
    """A station of the flow: its state, what is there in words, where to go and what to do."""

    name: str
    state: str  # one of DONE, MISSING, STALE, OPTIONAL
    words: str
    page: str
    step: str  # what to do here, in words
    action: str = ""  # a job that does it


def stations(ws: Workspace) -> list[Station]:
    """All stations in the order of the flow."""
    sources = list_sources(ws)
    if not sources:
        return [Station("Sources", MISSING, "no text yet", "sources", "Add a source")]
    benchmarks = benchmark_names(ws)
    return [
        sources_station(ws, sources),
        signals_station(ws, sources),
        duplicates_station(ws),
        contamination_station(ws, sources, benchmarks),
        recipes_station(ws),
        runs_station(ws, benchmarks),
        exports_station(ws),
    ]


def next_station(found: list[Station]) -> Station | None:
    """The first station that is stale or missing."""
    return next((s for s in found if s.state in (MISSING, STALE)), None)


def sources_station(ws: Workspace, sources: list[Source]) -> Station:
    """Sources with documents and tokens."""
    documents = sum(source.counts.get("documents", 0) for source in sources)
    tokens = [token_count(ws, source.name) for source in sources]
    known = sum(t for t in tokens if t is not None)
    words = f"{plural(len(sources), 'source')}, {compact(documents)} documents"
    words += f", {compact(known)} tokens" if known else ""
    return Station("Sources", DONE, words, "sources", "Add a source")


def signals_station(ws: Workspace, sources: list[Source]) -> Station:
    """Token counts and signals."""
    states = {
        s.name: signals_state(ws, s.name) if tokens_counted(ws, s.name) else "missing"
        for s in sources
    }
    ready = sum(state == "measured" for state in states.values())
    state = DONE if ready == len(states) else STALE if "stale" in states.values() else MISSING
    words = f"measured for {ready} of {plural(len(states), 'source')}"
    return Station("Tokens and signals", state, words, "sources", "Measure the sources", "measure")


def duplicates_station(ws: Workspace) -> Station:
    """Duplicate groups over the sources as they are now, at the settings that recipes ask for."""
    try:
        facts, *_ = [require_duplicates(ws, asked).manifest for asked in settings_asked(ws)]
    except ArtifactMissing:
        older = bool(manifests(ws, "duplicates"))
        words = "searched before the sources changed" if older else "not searched yet"
        state = STALE if older else OPTIONAL
        return Station("Duplicates", state, words, "duplicates", "Find duplicates", "dedup")
    copies = sum(v for k, v in facts.items() if k.endswith("copies") and isinstance(v, int))
    words = f"searched; {plural(copies, 'copy', 'copies')}" if copies else "searched"
    return Station("Duplicates", DONE, words, "duplicates", "Find duplicates")


def settings_asked(ws: Workspace) -> list[MinHash]:
    """The settings of near duplicates in recipes, each once; the usual ones if none has any."""
    policies = [item.recipe.dedup for item in list_recipes(ws) if item.recipe]
    asked = [policy.minhash for policy in policies if policy and policy.minhash]
    return list(dict.fromkeys(asked)) or [MinHash()]


def contamination_station(ws: Workspace, sources: list[Source], benchmarks: list[str]) -> Station:
    """Benchmark items in the text."""
    if not benchmarks:
        return Station("Contamination", OPTIONAL, "no benchmark is registered", "contamination", "")
    found = 0
    for source in sources:
        try:
            require_contamination(ws, source.name, benchmarks)
            found += 1
        except LabError:
            continue
    words = f"searched in {found} of {plural(len(sources), 'source')}"
    if found == len(sources):
        return Station("Contamination", DONE, words, "contamination", "")
    return Station(
        "Contamination",
        OPTIONAL,
        words,
        "contamination",
        "Search for benchmark items",
        "decontaminate",
    )


def recipes_station(ws: Workspace) -> Station:
    """Recipes that can be read, and those that cannot."""
    listed = list_recipes(ws)
    broken = sum(item.recipe is None for item in listed)
    words = plural(len(listed), "recipe") + (f", {broken} cannot be read" if broken else "")
    state = DONE if len(listed) > broken else MISSING
    return Station("Recipes", state, words, "mixture", "Start a recipe")


def runs_station(ws: Workspace, benchmarks: list[str]) -> Station:
    """Proxy runs and what they were scored on."""
    runs = list(ws.runs.glob("*/run.json"))
    scored = len(list(ws.runs.glob("*/scores/summary.json")))
    words = f"{plural(len(runs), 'run')}, {scored} scored on {plural(len(benchmarks), 'benchmark')}"
    state = DONE if scored else MISSING
    return Station("Proxy runs", state, words, "runs", "Train small models on two recipes")


def exports_station(ws: Workspace) -> Station:
    """Exports written into the workspace."""
    written = [p for p in ws.folder("exports").glob("*") if p.is_dir()]
    state = DONE if written else MISSING
    return Station("Exports", state, plural(len(written), "export"), "export", "Export a recipe")


def benchmark_names(ws: Workspace) -> list[str]:
    """Names of the registered benchmarks."""
    return sorted(path.parent.name for path in ws.benchmarks.glob("*/items.parquet"))
