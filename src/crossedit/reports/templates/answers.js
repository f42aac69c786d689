// All answers of the report, as the page holds them: columns of numbers, which stand for names and texts in lists beside
// them (reports/page/answers.py). Answers stand by backbone, editing language, facts and case.

const ALL = -1, WRONG = -2; // what may be chosen besides a name's number

const answers = {
  // Take up the value in the page.
  read(text) {
    const data = JSON.parse(text);
    for (const name of ["questions", "cells", "answers"])
      for (const [column, numbers] of Object.entries(data[name])) data[name][column] = Int32Array.from(numbers);
    Object.assign(answers, data, { rows: data.answers, size: data.answers.cell.length });
    answers.right = data.names.outcome.indexOf("right");
    answers.groups = answers.byGroup();
  },

  // Return the rows of each backbone and editing language, by both: where they begin and end.
  byGroup() {
    const { cells, rows } = answers;
    const groups = new Map();
    for (let row = 0; row < answers.size; row++) {
      const key = answers.group(cells.backbone[rows.cell[row]], cells.edit_lang[rows.cell[row]]);
      if (!groups.has(key)) groups.set(key, [row, row]);
      groups.get(key)[1] = row + 1;
    }
    return groups;
  },
  group: (backbone, editLang) => `${backbone} ${editLang}`,

  // Return what a row is, by names and texts.
  row(row) {
    const { rows, questions, cells, texts, names } = answers;
    const question = rows.question[row], cell = rows.cell[row];
    return {
      question,
      prompt: texts[questions.prompt[question]],
      target: texts[questions.target[question]],
      slot: questions.slot[question],
      lang: questions.lang[question],
      editor: names.editor[cells.editor[cell]],
      before: texts[rows.before[row]],
      after: texts[rows.after[row]],
      outcome: names.outcome[rows.outcome[row]],
    };
  },

  // Return a test for rows: by editor, slot (aspect and kind), evaluation language, outcome and a piece of text.
  test({ editor, slot, lang, outcome, text }) {
    const { rows, questions, cells, right } = answers;
    const holds = text ? answers.holding(text) : null;
    return (row) => {
      const question = rows.question[row];
      if (editor !== ALL && cells.editor[rows.cell[row]] !== editor) return false;
      if (slot !== ALL && questions.slot[question] !== slot) return false;
      if (lang !== ALL && questions.lang[question] !== lang) return false;
      if (outcome === WRONG ? rows.outcome[row] === right : outcome !== ALL && rows.outcome[row] !== outcome) return false;
      if (!holds) return true;
      return Boolean(
        holds[rows.after[row]] || holds[rows.before[row]] || holds[questions.prompt[question]] || holds[questions.target[question]],
      );
    };
  },

  // Return which texts hold a piece of text, whatever its case.
  holding(text) {
    answers.lowered ??= answers.texts.map((each) => each.toLowerCase());
    const piece = text.toLowerCase();
    return Uint8Array.from(answers.lowered, (each) => each.includes(piece));
  },

  // Return the facts with answers that pass: where their rows begin and end, how many pass, how many of all are right.
  matching(chosen) {
    const { rows, questions, cases, right } = answers;
    const [begin, end] = answers.groups.get(answers.group(chosen.backbone, chosen.edit_lang)) ?? [0, 0];
    const passes = answers.test(chosen);
    const found = [];
    let last = { case: null };
    for (let row = begin; row < end; row++) {
      const its = questions.case[rows.question[row]];
      if (chosen.facts !== ALL && cases.facts[its] !== chosen.facts) continue;
      if (its !== last.case) found.push((last = { case: its, begin: row, end: row, passed: 0, right: 0 }));
      last.end = row + 1;
      last.passed += passes(row);
      last.right += rows.outcome[row] === right;
    }
    return { facts: found.filter((fact) => fact.passed), of: found };
  },
};
