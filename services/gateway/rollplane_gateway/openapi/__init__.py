"""OpenAPI documents of what is served, made from the message descriptors, our comments on them and the table of what is
served."""
