"""How many false signals all that is shown together will give."""
