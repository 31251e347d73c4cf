"""How well pages with known truth are read: character and word error rates, field F1, TEDS of tables."""
