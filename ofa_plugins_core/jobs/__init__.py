"""Jobs: functions over the Protocols that return values and emit events."""
