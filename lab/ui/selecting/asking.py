"""What is asked for: method, budget, quality and among which documents; then the job."""

from collections.abc import Collection
from dataclasses import dataclass

import streamlit as st

from lab.core.artifacts import Artifact
from lab.core.workspace import Workspace
from lab.corpus.sources import Source, documents, get_source
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.attributes import locate
from lab.curation.measure import stored_signals
from lab.curation.quality import quality_columns
from lab.diversity.embedding.embed import SAMPLE
from lab.diversity.embedding.encoder import DEFAULT
from lab.diversity.embedding.stored import STEP, require_embeddings
from lab.diversity.selecting.methods import METHODS, Entry
from lab.mixture.recipe import Recipe
from lab.ui.components import empty
from lab.ui.filters.controls import open_on
from lab.ui.formats import count, duration, percent
from lab.ui.job_panel import start
from lab.ui.map.ready import MEASURED
from lab.ui.signal_words import signal_words
from lab.ui.state import forget_unknown
from lab.ui.tables import manifests
from lab.ui.text import label

STARTING, MEASURING = 4, 6  # seconds: a process with its imports; the panel twice and topics
BALANCED = ("mmr", "dpp", "facility")  # the weight of quality says something


@dataclass(frozen=True, slots=True)
class Supply:
    """What can be chosen from: embedded training `documents` and their tokens, and all `whole`
    training tokens of the source.
    """

    documents: int
    tokens: int
    whole: int


def encoders_of(ws: Workspace, sources: Collection[str]) -> dict[str, list[str]]:
    """Encoders with embeddings of the present documents, and of which of the `sources`; the default
    one first.
    """
    current = {get_source(ws, name).documents: name for name in sources}
    found: dict[str, list[str]] = {}
    for artifact in manifests(ws, STEP):
        name = current.get(artifact.manifest["inputs"][0])
        own = found.setdefault(str(artifact.manifest["config"]["encoder"]), [])
        if name and name not in own:
            own.append(name)
    return {e: sorted(found[e]) for e in sorted(found, key=lambda e: (e != DEFAULT, e)) if found[e]}


def pick_encoder(found: Collection[str]) -> str:
    """Whose vectors decide what is near, if there is a choice."""
    if len(found) < 2:
        return next(iter(found), DEFAULT)
    forget_unknown("encoder", found)
    return str(st.selectbox("Embeddings by", list(found), key="encoder", bind="query-params"))


def embeddings_of(ws: Workspace, source: Source) -> Artifact | None:
    """The source's embeddings; without any, what to run and how long it takes, with the button."""
    if found := encoders_of(ws, [source.name]):
        return require_embeddings(ws, source.name, pick_encoder(found))
    size = min(SAMPLE, source.counts["documents"])
    with empty("The documents of this source are not embedded, so nothing is near or far yet."):
        st.caption(
            f"A sample of {count(size)} documents: about {duration(size / MEASURED.embedded)} on "
            "one core. To choose among all of a large source, use `mixlab embed --sample N`, or "
            "`--encoder static`, which is much faster and coarser."
        )
        if st.button("Embed this source", key="embed_source", type="primary"):
            start(ws, "embed", {"source": source.name})
    return None


def supply_of(ws: Workspace, source: str, embeddings: Artifact) -> Supply:
    """How much can be chosen from."""
    tokens = require_tokens(ws, source, default_tokenizer(ws))
    return cached_supply(ws, source, embeddings, tokens, f"{embeddings.id}+{tokens.id}")


@st.cache_data(max_entries=16, show_spinner=False)
def cached_supply(
    _ws: Workspace, source: str, _embeddings: Artifact, _tokens: Artifact, key: str
) -> Supply:
    """The amounts for `key`: 0.3 s a million documents."""
    held = documents(_ws, source).scan().select("id", "heldout").collect()
    counted = held.with_columns(_tokens.scan().select("tokens").collect()).filter(~held["heldout"])
    ids = _embeddings.scan().select("id").collect()
    some = counted.join(ids, on="id", how="semi")
    return Supply(some.height, int(some["tokens"].sum()), int(counted["tokens"].sum()))


def show_form(
    ws: Workspace, source: Source, recipe: Recipe | None, embeddings: Artifact, busy: bool
) -> None:
    """The choices, what they cost, and the button."""
    supply = supply_of(ws, source.name, embeddings)
    if not supply.tokens:
        st.info("No training document of this source is embedded.", icon=":material/info:")
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        method = pick_method()
    with right:
        budget = st.container()
        quality, balance = pick_quality(ws, source.name, method)
        among = pick_among(source.name, recipe)
        with budget:
            tokens = pick_budget(source.name, supply, among)
    entry = METHODS[method]
    lacking = entry.needs_quality and not quality
    with st.container(horizontal=True, vertical_alignment="center"):
        go = st.button(
            "Choose documents", key="select_go", type="primary", icon=":material/checklist:",
            disabled=busy or lacking,
        )  # fmt: skip
        said = "This method needs a quality to multiply with." if lacking else ""
        st.caption(label(said or cost_words(entry, supply)), width="content")
    if go:
        encoder = embeddings.manifest["config"]["encoder"]
        other = {"encoder": encoder} if encoder != DEFAULT else {}
        params = {"source": source.name, "method": method, "tokens": tokens, "recipe": among}
        start(ws, "select", params | {"quality": quality, "balance": balance} | other)


def cost_words(entry: Entry, supply: Supply) -> str:
    """About how long the job takes."""
    seconds = STARTING + entry.seconds(supply.documents) + MEASURING
    return (
        f"About {duration(seconds)} for {count(supply.documents)} embedded documents, in a process "
        "of its own."
    )


def pick_method() -> str:
    """One of the methods, in the field's terms, with what it does, costs and misses."""
    forget_unknown("method", METHODS)
    open_on("method", list(METHODS))
    method = str(
        st.selectbox(
            "Method", list(METHODS), index=list(METHODS).index("semdedup"), key="method",
            bind="query-params", format_func=lambda name: METHODS[name].label,
        )
    )  # fmt: skip
    entry = METHODS[method]
    st.markdown(f"{label(entry.does)}")
    st.markdown(f"**Cost.** {label(entry.costs)}")
    st.markdown(f"**Where it fails.** {label(entry.fails)}")
    with st.expander("All methods"):
        for e in METHODS.values():
            st.markdown(
                f"**{label(e.label)}.** {label(e.does)} *Cost:* {label(e.costs)} *Fails:* "
                f"{label(e.fails)} About {count(e.speed)} documents a second."
            )
    return method


def pick_budget(source: str, supply: Supply, among: str | None) -> int:
    """Tokens at most, and which share that is; of all embedded, not of what a recipe keeps."""
    key = f"budget.{source}"
    tokens = int(
        st.number_input(
            "Budget, tokens", 1, max(supply.tokens, 1), max(supply.tokens // 2, 1), key=key,
            step=max(supply.tokens // 20, 1), bind="query-params",
        )
    )  # fmt: skip
    st.caption(
        f"{percent(tokens / supply.tokens)} of the {count(supply.tokens)} embedded tokens, "
        f"{percent(tokens / supply.whole)} of the source's {count(supply.whole)} training tokens."
    )
    if among:
        st.caption(
            f"Budget and shares are of all embedded tokens: what {label(among)} keeps of them may "
            "be less, and a budget above that is not used up."
        )
    return tokens


def pick_quality(ws: Workspace, source: str, method: str) -> tuple[str | None, float | None]:
    """A column whose larger values are better, and its weight; None for neither, as for a method
    that reads none.
    """
    if not METHODS[method].reads_quality:
        if method != "random":
            warn_of_junk()
        return None, None
    names = number_columns(ws, source)
    forget_unknown("quality", ["", *names])
    open_on("quality", names)
    quality = str(
        st.selectbox(
            "Quality", ["", *names], key="quality", bind="query-params",
            format_func=lambda name: signal_words(name) if name else "none",
            help="A score or signal that is larger for better documents; it enters as its rank.",
        )
    )  # fmt: skip
    if not quality:
        warn_of_junk()
        return None, None
    if method not in BALANCED:
        return quality, None
    balance = st.slider(
        "Weight of quality beside diversity", 0.0, 0.95, 0.5, 0.05, key="balance",
        bind="query-params",
    )  # fmt: skip
    return quality, balance


def warn_of_junk() -> None:
    """What proxy runs said of breadth without a score (docs/selections-by-proxy-run.md)."""
    st.caption(
        "Breadth is no quality: where a third of a source was junk, most sets chosen without a "
        "score trained no better models of its good pages than chance did, and with one they did. "
        "The Quality page makes one."
    )


def number_columns(ws: Workspace, source: str) -> list[str]:
    """Scores first, then signals that are numbers."""
    names = [*quality_columns(ws, source), *stored_signals(ws, source)]
    found = locate(ws, source, names)
    schemas = {c.artifact.id: c.artifact for c in found}
    known = {key: artifact.scan().collect_schema() for key, artifact in schemas.items()}
    return [c.name for c in found if known[c.artifact.id][c.stored].is_numeric()]


def pick_among(source: str, recipe: Recipe | None) -> str | None:
    """The recipe among whose documents is chosen; None for all of the source."""
    if recipe is None or source not in recipe.sources:
        return None
    only = st.toggle(
        f"Only among what {label(recipe.name)} keeps", key="among", bind="query-params",
        help="Its other rules first: junk is unlike everything, so breadth alone would choose it.",
    )  # fmt: skip
    return recipe.name if only else None
