"""Words: nouns with kind and figure, phrases, morphology. Knows neither prompts nor pictures."""
