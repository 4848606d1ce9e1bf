"""The hooks of the plugin devices_jetson."""

OFA_API = 1
