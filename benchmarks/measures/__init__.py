"""How well the measures find injected faults; see ``__main__``."""
