"""A synthetic learning network: data drawn with planted changes, and the records of the work beside them."""
