"""The widgets without a browser."""
