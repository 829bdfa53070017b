"""feedd: folders of dated articles in, feeds and a record of every edit out."""

__version__ = "0.1.0"
