"""Is it stable, and what is special? Run and control charts of every stratum at once."""
