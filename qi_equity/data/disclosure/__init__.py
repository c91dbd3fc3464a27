"""What may leave: rules of suppression, what they withhold, and the attack that the rest must stand."""
