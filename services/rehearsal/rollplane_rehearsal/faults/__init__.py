"""What can befall a plane."""
