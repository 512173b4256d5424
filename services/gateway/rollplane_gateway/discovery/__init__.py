"""Discovery: what is served, told in each form that clients ask for, from the table of what is served."""
