"""`python -m morphface` is the command line."""

from morphface.cli import main

main()
