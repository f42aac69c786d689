"""What the fields of a record are called where people see them, and what they are."""

FIELD_NAMES = {
    "subject": "Subject",
    "prompt": "Question",
    "target": "New answer",
    "original": "Old answer",
    "rephrase": "Question in other words",
    "locality_prompt": "Unrelated question",
    "locality_answer": "Unrelated answer",
    "same_subject_prompt": "Question on the subject",
    "same_subject_answer": "Answer on the subject",
    "portability_prompt": "Further question",
    "portability_answer": "Further answer",
}
MEANINGS = {
    "subject": "what the fact is about; it stands in the question letter by letter",
    "prompt": "asks for the fact",
    "target": "what a model is taught to answer; it need not be true",
    "original": "what a model answers before that",
    "rephrase": "asks for the same fact",
    "locality_prompt": "asks for something else, which must not change",
    "locality_answer": "answers the unrelated question",
    "same_subject_prompt": "asks for something else about the subject",
    "same_subject_answer": "answers the question on the subject",
    "portability_prompt": "asks for what follows from the new answer",
    "portability_answer": "answers the further question",
}


def named(message: str, field: str) -> str:
    """Return a check's message on a field with the field's name instead of its column."""
    return message.replace(f"'{field}'", f"“{FIELD_NAMES[field]}”")
