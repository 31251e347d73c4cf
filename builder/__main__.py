"""`python -m builder`: what build.py hands over to."""

from builder.cli import main

main()
