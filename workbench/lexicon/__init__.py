"""English words: nouns, phrases, morphology, tagging, spelling. Knows nothing of prompts or jobs."""
