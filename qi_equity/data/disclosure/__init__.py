"""What may leave: rules of suppression, the counts they withhold, and the attack that what is left must stand."""
