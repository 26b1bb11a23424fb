"""The decision and its consequences: recipe, selection, supply, ledger, repetition."""
