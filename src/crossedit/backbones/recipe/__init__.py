"""A recipe for small backbones: from a facts table to a trained LLaMA with its tokenizer."""
