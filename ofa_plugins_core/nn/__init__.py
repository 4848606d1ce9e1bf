"""The room of the core that knows torch: weights, data, evaluation, export, planners.

It knows no elastic layer: networks come from supernets' ``build``, and are torch modules that
fulfil ``interfaces.ElasticModule`` and ``interfaces.Subnet``. What a plain block is follows from
the geometry alone (``plain``): for extracted subnets, and for what devices time. Nothing here is
imported by a command that needs no torch. Needs the extra [torch].
"""
