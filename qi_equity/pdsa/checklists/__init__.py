"""What people judge improvement work by: the quality of PDSA cycles, and the scale of progress."""
