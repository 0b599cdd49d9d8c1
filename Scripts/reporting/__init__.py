"""What Scripts/report draws and writes, a module for each kind of picture."""
