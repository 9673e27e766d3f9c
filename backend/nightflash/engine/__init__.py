"""From a photo and the user's wishes to a night, and what is remembered on the way."""
