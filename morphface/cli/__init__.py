"""The command line: one module a group of commands, `app` puts them together."""

from morphface.cli.app import main, run

__all__ = ["main", "run"]
