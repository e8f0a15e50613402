"""One script per performance target: each prints its figures beside the targets."""
