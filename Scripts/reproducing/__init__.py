"""The parts of Scripts/reproduce."""
