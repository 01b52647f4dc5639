"""Charts: how they look, what they hold, and what they say in words."""
