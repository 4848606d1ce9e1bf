"""The published accuracy predictors: small networks on one-hot architectures."""
