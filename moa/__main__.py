"""`python -m moa` is `moa`."""

from moa.cli import main

main()
