"""What rehearsals came to, for people, machines and the pages of both."""
