"""One script per performance promise: each prints its figure next to its target."""
