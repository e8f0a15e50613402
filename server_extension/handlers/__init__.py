"""One module per resource; each handler parses, makes one call, and answers."""
