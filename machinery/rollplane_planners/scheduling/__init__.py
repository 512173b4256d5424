"""Where pods run: which nodes a pod may go to, and which of them takes it.

Source: docs/semantics/pod-lifecycle.md section 2.
"""
