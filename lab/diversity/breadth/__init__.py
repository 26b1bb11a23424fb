"""How broad and how redundant texts are: of sources, of selections, and of mixtures."""
