"""The room of the core that knows torch: weights, data, evaluation, export, planners.

It knows no layer class: networks come from supernets' ``build``, and are torch modules that fulfil
``interfaces.ElasticModule`` and ``interfaces.Subnet``. Nothing here is imported by a command that
needs no torch. Needs the extra [torch].
"""
