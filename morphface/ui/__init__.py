"""Editing by hand: a widget for notebooks, the same in a browser."""
