"""`python -m leadwire`."""

from leadwire.cli import main

main()
