"""The networks NightFlash can use: one module and one descriptor each, and the registry of them."""
