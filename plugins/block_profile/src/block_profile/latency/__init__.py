"""Latencies of whole networks: labelled, and predicted from the row of their blocks."""
