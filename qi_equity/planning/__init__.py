"""Could we have seen it, and how long until we can: run length, months to detect, designs."""
