"""What is asked and not stored: who am I, may I, give me a token."""
