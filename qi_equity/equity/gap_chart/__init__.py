"""The gap between each group and its reference over time, with limits from the counts of both."""
