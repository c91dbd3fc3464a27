"""The change package: what a network tried, for whom it was seen to help, and for whom not yet."""
