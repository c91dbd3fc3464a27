"""Is it fair? Rates and gaps with intervals, gaps over time, comparison of groups, inequality measures."""
