"""The plug-in's modules: gi, the standard library and the client of the backend alone."""
