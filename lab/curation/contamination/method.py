"""The lengths and limits of the method that stored tables depend on."""

NGRAM = 13  # words (GPT-3, phi-4)
SHORT_NGRAM = 7  # words (phi-4)
FLOOR = 0.05  # smallest ratio whose document and item are stored by name
