"""Language models: which ones can be used here, which one is chosen, and where its key is kept."""
