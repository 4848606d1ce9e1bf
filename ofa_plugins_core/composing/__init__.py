"""What mixes with what: every combination that the installed plugins offer, tried small.

``axes`` says what there is to combine, ``trying`` tries one combination by the same path as
``ofa run search``, ``working`` all of them in several processes, ``folding`` makes grids of the
outcomes, ``page`` a page of the grids.
"""
