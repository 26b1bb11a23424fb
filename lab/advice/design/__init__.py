"""Which mixtures to run: anchors, draws, repeats, and the recipes they become."""
