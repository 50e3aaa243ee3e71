# Wingmirror · Apache-2.0
"""What the dashboards and rules are made of: one module per dashboard, and two for the rules."""
