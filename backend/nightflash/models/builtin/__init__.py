"""Networks of our own training, which ship with NightFlash."""
