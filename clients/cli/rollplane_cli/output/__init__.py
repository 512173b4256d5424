"""How answers look: tables, documents, live progress."""
