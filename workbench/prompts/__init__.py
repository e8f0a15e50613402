"""Language: composer, language-model providers, sessions and their store. Knows nothing of jobs."""
