"""Language: composer, providers, sessions."""
