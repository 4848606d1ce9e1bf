"""How a release is made: ``python -m release --help``; docs/releasing.md says when.

Packages are built from a copy of what is committed, in which the addresses of the checkout are
replaced by versions; then looked into, built again from their own sources, installed into an empty
environment, and used. Nothing of it is part of a package.
"""
