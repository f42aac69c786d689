"""crossedit measures what an edit of a fact really does to a multilingual language model."""

UNEDITED = "unedited"  # what a backbone as it is is called, among editors and among sweeps
