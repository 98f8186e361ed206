"""What the dashboard's panels say, as lines made from plain data."""
