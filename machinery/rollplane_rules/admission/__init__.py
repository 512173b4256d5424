"""What other objects of a namespace allow a write: its LimitRanges and ResourceQuotas; and the PriorityClasses.

Pure rules on what was read; the apiserver gathers it and refuses. docs/semantics/admission.md is the law.
"""
