"""The language-model engines on real software: transformers and vLLM on the CPU, with a tiny checkpoint."""
