"""Who and what is counted: measures, groups, and the series made of them."""
