"""What each block choice costs and gains, end to end; latency predictors; smaller spaces."""
