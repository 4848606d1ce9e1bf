"""A plugin from outside: two costs, a searcher and a job."""
