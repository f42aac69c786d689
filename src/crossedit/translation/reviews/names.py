"""What the fields of a record are called where people see them."""

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
