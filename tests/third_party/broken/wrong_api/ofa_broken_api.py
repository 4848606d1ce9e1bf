"""Was written for a core that does not exist yet."""

OFA_API = 99
