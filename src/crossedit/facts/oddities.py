"""Every kind of oddity that is looked for, what it means, and what is done about it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

WHOLE_FILE = -1  # stands for the case where an oddity is the file's; further files of a split have -2, -3, …


class Oddity(NamedTuple):
    """One finding. `case_id` is WHOLE_FILE, and `lang` and `field` are empty, where it is none of one case's."""

    kind: str
    case_id: int
    lang: str
    field: str
    value: str
    file: str


@dataclass(frozen=True)
class Kind:
    """A kind of oddity; `leaves_out` says whether its cases are missing from the facts table, `rule` why (not)."""

    meaning: str
    rule: str = "kept"
    leaves_out: Literal["never", "always", "subject_missing"] = "never"


_FIRST = "kept; the comparison is with the first record that has it"
_PROBE = "kept, without this probe"

KINDS: dict[str, Kind] = {
    # What leaves a case out.
    "required_field_empty": Kind(
        "subject, prompt or target is empty", "case left out: there is nothing to edit or to ask", "always"
    ),
    "language_missing": Kind(
        "the case has no record in one of the languages", "case left out: languages couldn't be compared", "always"
    ),
    "subject_not_in_prompt": Kind(
        "the subject, as it is spelled, doesn't stand in the prompt",
        "case left out with subject_missing: leave_out (methods that locate the subject can't edit it), else kept",
        "subject_missing",
    ),
    # The subject.
    "subject_in_other_case": Kind("the subject stands there, but in other upper and lower case"),
    "subject_not_in_rephrase": Kind("the subject doesn't stand in the rephrase"),
    "subject_twice_in_prompt": Kind("the subject stands in the prompt more than once", "kept; the last one counts"),
    "repeated_subject": Kind("an earlier record has the same subject", _FIRST),
    # How a text is written.
    "field_empty": Kind("a field that is not required is empty", _PROBE),
    "number_for_text": Kind("the file holds a number where text is expected", "kept, as its digits"),
    "edge_spaces": Kind("the value begins or ends in white space", "kept, stripped"),
    "double_spaces": Kind("the value has two spaces in a row"),
    "invisible_character": Kind("the value holds a control or format character, such as U+FEFF"),
    "no_own_script": Kind("the value holds no letter of its language's script (left in another, or only digits)"),
    "question_mark_missing": Kind("a question doesn't end in a question mark"),
    "half_width_mark": Kind("a Chinese or Japanese question ends in the half-width `?`"),
    "prefix_nq_question": Kind("the locality prompt begins with `nq question: `", "kept verbatim, as upstream asks it"),
    "glued_word": Kind("a question begins with a letter glued to a question word or article (`Ithe …`)"),
    "rephrase_preamble": Kind("a sentence that doesn't name the subject comes before the rephrase"),
    # What says the same, or should not.
    "prompt_equals_rephrase": Kind("the rephrase is the prompt, so that generality asks what was edited"),
    "locality_prompt_equals_prompt": Kind("the locality prompt is the prompt, so that locality contradicts the edit"),
    "locality_answer_equals_target": Kind("locality expects the target, so that it contradicts or rewards the edit"),
    "locality_answer_equals_original": Kind("locality expects the answer before the edit, which thus passes it"),
    "target_equals_portability_answer": Kind("portability expects the target itself"),
    "target_equals_original": Kind("the target is the answer before the edit, so that there is nothing to change"),
    "target_equals_prediction": Kind("the target is `pred`, the answer that upstream's model gave before the edit"),
    "target_among_answers": Kind("the target is one of `answers`, the true ones"),
    "several_answers": Kind("`answers` holds more than one", "kept; the first is the original"),
    "cond_inconsistent": Kind("`cond` is not `pred >> alt || src`"),
    "cond_separator_missing": Kind("`cond` lacks one of ` >> ` and ` || `, each between spaces"),
    # Between records.
    "duplicate_prompt": Kind("an earlier record has the same prompt", _FIRST),
    "duplicate_prompt_conflicting_target": Kind("records with this prompt have different targets", "kept, all of them"),
    "repeated_record": Kind("an earlier record has the same prompt and target", _FIRST),
    "repeated_locality": Kind("an earlier record has the same locality prompt", _FIRST),
    # Between languages; with English where there is English, else with the first language.
    "untranslated": Kind("the value is the same in another language (right for some names and numbers)"),
    "digits_differ": Kind("the numbers in an answer are others than in the other language"),
    "buddhist_year": Kind("a year is counted in the Buddhist era (543 more than in the other language)"),
    # Between and about files.
    "halves_differ": Kind(
        "a further file of the split says it differently in the same language", "the first file's is kept"
    ),
    "case_id_gaps": Kind("the case_ids are not 0, 1, 2, … in this order"),
    "file_name_language": Kind(
        "the file's name ends in a language code and the file holds others too, or not that one"
    ),
    "original_unknown": Kind(
        "there is no answer before the edit; where the whole file has none, its targets may even be the true answers",
        "kept; `originals: derange` finds one",
    ),
    # Between splits.
    **{
        f"{first}_{second}_overlap_{field}": Kind(f"this {field} stands in both {first} and {second}")
        for first, second in (("train", "validation"), ("train", "test"), ("validation", "test"))
        for field in ("prompt", "subject")
    },
}


def leaves_out(kind: str, subject_missing: str) -> bool:
    """Return whether a case with this oddity is left out, `subject_missing` being the entry's leave_out or keep."""
    when = KINDS[kind].leaves_out
    return when == "always" or (when == "subject_missing" and subject_missing == "leave_out")
