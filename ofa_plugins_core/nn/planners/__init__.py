"""What real planners allot for a network's activations: ONNX Runtime, ExecuTorch, torch.

One file each, and the record that they share. Each runtime is loaded when it is asked for; without
it one line says which extra to install. What a planner gives is measured: it holds for this
version of it, and for ONNX Runtime's float plans on this kind of processor. Nothing is imported
here: the record knows no torch.
"""
