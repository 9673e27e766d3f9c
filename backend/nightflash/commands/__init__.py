"""What the command line can do, a module for every group of commands."""
