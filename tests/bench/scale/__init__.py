"""What a plane costs at rest and how it grows: planes of real processes, measured from outside."""
