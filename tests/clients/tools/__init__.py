"""Programs of others that our tests run: found on the machine, or fetched as packages into a cache of their own."""
