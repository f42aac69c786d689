"""What people get to judge of a translation, how their files are read back, and what stands in the end.

    rows.rows(facts), rows.conflicts(facts, corrections)    the texts to judge, one row each
    writing.write(rows, folder, name, by)                   the same rows in four forms
    reading.read(path)                                      the judgements in a file, whichever form it was made from
    merge.merge(rows, sources, annotators, expert)          from what several people say to the one text that stands
    agreement, changes                                      how far they agree, and what they change

The forms: a CSV file and a spreadsheet (`sheets`), tasks for Label Studio (`label_studio`), and a page to correct in
the browser, which saves a CSV file (`page`). Whichever a person takes, the same words give the same judgements.
"""
