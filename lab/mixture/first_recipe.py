"""The recipe to begin with, so that nobody starts from an empty file: all text as it comes."""

from lab.core.errors import ArtifactMissing, ConfigError
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.corpus.tokenizer import default_tokenizer
from lab.corpus.tokens import require_tokens
from lab.curation.duplicates import DedupConfig
from lab.mixture.recipe import Mixture, Phase, Recipe


def natural_recipe(ws: Workspace, name: str = "natural") -> Recipe:
    """Every source by its own size, one phase, exact copies dropped, one epoch.

    Raises ConfigError while tokens are not counted for every source.
    """
    tokenizer = default_tokenizer(ws)
    tokens = {source.name: counted(ws, source.name, tokenizer) for source in list_sources(ws)}
    unknown = [source for source, count in tokens.items() if not count]
    if unknown or not tokens:
        raise ConfigError(
            "Tokens have not been counted for every source.",
            value=unknown,
            next_step="measure the sources first: `mixlab measure`",
        )
    total = sum(tokens.values())
    weights = {source: count / total for source, count in tokens.items()}
    return Recipe(
        name=name,
        tokenizer=tokenizer,
        sources=dict.fromkeys(tokens, ()),
        mixture=Mixture(total, (Phase("all", 1.0, weights),)),
        dedup=DedupConfig(exact=True, minhash=None),
    )


def counted(ws: Workspace, source: str, tokenizer: str) -> int:
    """Tokens of a source, 0 if they have not been counted."""
    try:
        return int(require_tokens(ws, source, tokenizer).manifest["tokens"])
    except ArtifactMissing:
        return 0
