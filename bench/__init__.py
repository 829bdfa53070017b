"""Measures feedd against floors and peers, side by side in one run: `python -m bench`."""
