"""Full size: from the working size to every pixel."""
