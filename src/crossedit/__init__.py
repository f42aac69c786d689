"""crossedit measures what an edit of a fact really does to a multilingual language model."""
