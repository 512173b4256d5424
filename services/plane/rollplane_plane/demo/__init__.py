"""The story that `rollplane demo` tells: real commands against a real plane, every step checked."""
