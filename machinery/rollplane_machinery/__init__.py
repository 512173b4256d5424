"""What an object is: kinds, codec, defaults, validation, selectors, quantities, patches, errors, clock, the Api."""
