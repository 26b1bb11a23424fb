"""The shape of the corpora: embeddings, a map, clusters, and measures of breadth.

Everything here reads a sample of each source, and says so. Importing this package is cheap; torch,
sentence-transformers, scikit-learn and UMAP are imported by the steps that run in workers.
"""
