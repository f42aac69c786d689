"""Probes: the questions of a facts table, tokenised for one backbone.

Every fact is probed in four aspects: reliability (the edited question itself), generality (its rephrase), locality (a
question about something else) and portability (one step of reasoning further). Locality is asked about another subject
and, where the facts have it, about another relation of the same subject.
"""

from collections.abc import Sequence

import polars as pl

from crossedit.backbones.backbone import Backbone

# aspect, kind, column of the question, column of the answer
ASKED = (
    ("reliability", "", "prompt", "target"),
    ("generality", "", "rephrase", "target"),
    ("locality", "other_subject", "locality_prompt", "locality_answer"),
    ("locality", "same_subject", "same_subject_prompt", "same_subject_answer"),
    ("portability", "", "portability_prompt", "portability_answer"),
)


def make_probes(facts: pl.DataFrame, backbone: Backbone, languages: Sequence[str]) -> pl.DataFrame:
    """Return the PROBES of the facts in these languages; a question or answer that a fact lacks is not asked."""
    rows = []
    for fact in facts.filter(pl.col("lang").is_in(languages)).iter_rows(named=True):
        for aspect, kind, question, answer in ASKED:
            prompt, target = fact[question], fact[answer]
            if not prompt or not target:
                continue
            rows.append(
                {
                    "case_id": fact["case_id"],
                    "aspect": aspect,
                    "kind": kind,
                    "lang": fact["lang"],
                    "prompt": prompt,
                    "target": target,
                    "prompt_ids": backbone.encode(prompt),
                    "target_ids": backbone.continuation(prompt, target),
                }
            )
    ids = pl.List(pl.Int32)
    return pl.DataFrame(rows, schema_overrides={"prompt_ids": ids, "target_ids": ids})
