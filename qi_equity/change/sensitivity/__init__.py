"""Does the verdict stand? Other models, fake dates, and what else moved at the same date."""
