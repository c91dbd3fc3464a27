"""How long a chart runs before it signals, falsely or not."""
