"""What the fields of a record are called where people see them."""

FIELD_NAMES = {
    "subject": "Subject",
    "prompt": "Question",
    "target": "New answer",
    "original": "Answer before the edit",
    "rephrase": "The question in other words",
    "locality_prompt": "Question about something else",
    "locality_answer": "Its answer",
    "same_subject_prompt": "Another question about the subject",
    "same_subject_answer": "Its answer",
    "portability_prompt": "Question that follows from the new answer",
    "portability_answer": "Its answer",
}
