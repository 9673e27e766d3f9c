"""Many photos: the way of one from file to file, by processes of this machine or on Ray."""
