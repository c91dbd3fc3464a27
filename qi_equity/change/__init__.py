"""What a change did to each group, and to the gaps between them."""
