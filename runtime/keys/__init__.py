"""API keys: who may call the REST interface where the profile wants to know."""
