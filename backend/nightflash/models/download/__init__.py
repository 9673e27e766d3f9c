"""Downloads of network files, by `fetching`. Nothing else in NightFlash downloads anything."""
