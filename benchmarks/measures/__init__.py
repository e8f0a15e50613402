"""How well the measures find what was put into a video on purpose; see ``__main__``."""
