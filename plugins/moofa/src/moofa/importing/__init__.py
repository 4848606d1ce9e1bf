"""Published configurations, MOOFA's and Memory-Constant OFA's, as files for our jobs."""
