"""The shape of the corpora: embeddings, map, clusters, measures of spread."""
