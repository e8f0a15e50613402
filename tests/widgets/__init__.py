"""The widgets, tested without a browser."""
