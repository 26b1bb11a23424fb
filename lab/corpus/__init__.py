"""Text in: readers, normalising, tokenizers, token counts, the sample world."""
