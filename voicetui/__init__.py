"""What people touch: the command line and, with it, the console."""
