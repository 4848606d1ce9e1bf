"""NVIDIA Jetson boards as devices; the board's side is one script, ``board/ofa_board.py``."""
