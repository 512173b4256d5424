"""Custom resources: what structural schemas make of objects, and what a CustomResourceDefinition must be."""
