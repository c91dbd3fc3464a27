"""The records of improvement work: frozen, checked, with versions that are never written over."""
