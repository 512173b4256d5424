"""Per kind: what create, update, status and delete may change beyond the rules all kinds share."""
