"""Language models: discovery, choice, keys, endpoints and writing."""
