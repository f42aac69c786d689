// What the person has said so far: by record, whether it was looked at, and by field, the right text and a note.
// It is kept in the browser's storage with every keystroke, a record at a time.

const review = JSON.parse(document.getElementById("data").textContent);
csv.mistaken = new RegExp(`^(?:${review.mistaken})$`);

const caseOf = (line) => JSON.stringify([line.split, Number(line.case_id), line.lang]);
const records = review.records.map((record, place) => ({ ...record, place, key: caseOf(record) }));

const work = {
  prefix: `crossedit review ${review.key} `,
  words: new Map(),
  keeps: true, // whether the browser takes it
  isUnsaved: false, // whether something was said since the last file

  get by() { return work.get("by") ?? review.by; },
  set by(name) { work.put("by", name); },

  of(record) {
    return work.words.get(record.key) ?? { judged: false, texts: {} };
  },
  corrected: (record, text) => work.of(record).texts[text.field]?.corrected,
  note: (record, text) => work.of(record).texts[text.field]?.note ?? "",
  isChanged: (record) => Object.values(work.of(record).texts).some((said) => said.corrected),

  judge(record, judged) {
    work.keep(record, { ...work.of(record), judged });
  },

  // Say how a text should read, or why; what is empty, or is the machine's text, says nothing.
  say(record, text, said) {
    const word = work.of(record);
    const now = { ...word.texts[text.field], ...said };
    now.corrected = now.corrected?.trim();
    if (!now.corrected || now.corrected === text.machine.trim()) delete now.corrected;
    if (!now.note?.trim()) delete now.note;
    const texts = { ...word.texts, [text.field]: now };
    if (!Object.keys(now).length) delete texts[text.field];
    work.keep(record, { ...word, texts });
  },

  keep(record, word) {
    const empty = !word.judged && !Object.keys(word.texts).length;
    if (empty) work.words.delete(record.key);
    else work.words.set(record.key, word);
    work.put(record.key, empty ? null : JSON.stringify(word));
    work.isUnsaved = true;
    work.put("unsaved", "yes");
  },
  saved() {
    work.isUnsaved = false;
    work.put("unsaved", null);
  },

  get(key) {
    try {
      return localStorage.getItem(work.prefix + key);
    } catch {
      work.keeps = false;
      return null;
    }
  },
  put(key, value) {
    try {
      if (value === null) localStorage.removeItem(work.prefix + key);
      else localStorage.setItem(work.prefix + key, value);
    } catch {
      work.keeps = false; // the page says so, and asks to save
    }
  },
  restore(record) {
    const kept = work.get(record.key);
    if (kept) work.words.set(record.key, JSON.parse(kept));
    else work.words.delete(record.key);
  },

  counts() {
    const words = [...work.words.values()];
    const changed = words.flatMap((word) => Object.values(word.texts)).filter((said) => said.corrected);
    return { judged: words.filter((word) => word.judged).length, changed: changed.length };
  },

  // Return the corrections file: every text, with what was said of it.
  file() {
    const lines = records.flatMap((record) =>
      record.texts.map((text) => {
        const told = {
          ...record,
          ...text,
          checks: text.checks.join("; "),
          proposals: text.proposals.map((proposal) => proposal.said).join("\n"),
          corrected: work.corrected(record, text) ?? "",
          judged: work.of(record).judged ? "x" : "",
          by: work.by,
          note: work.note(record, text),
        };
        return review.columns.map((name) => csv.guarded(String(told[name])));
      }),
    );
    return csv.write([review.columns, ...lines]);
  },

  // Take over what such a file says. Return the records that it says something of, the number of words that are about other
  // texts, and the names in it.
  understand(content) {
    const byKey = new Map(records.map((record) => [record.key, record]));
    const words = new Map();
    const names = new Set();
    let elsewhere = 0;
    for (const raw of csv.read(content, review.columns)) {
      const line = Object.fromEntries(Object.entries(raw).map(([name, text]) => [name, csv.unguarded(text)]));
      const said = { corrected: line.corrected?.trim(), note: line.note?.trim() };
      const judged = Boolean(line.judged?.trim());
      if (!said.corrected && !said.note && !judged) continue;
      const record = byKey.get(caseOf(line));
      const text = record?.texts.find((known) => known.field === line.field);
      if (!text || text.machine !== line.machine || (line.record && line.record !== record.record)) {
        elsewhere += 1;
        continue;
      }
      if (line.by?.trim()) names.add(line.by.trim());
      const word = words.get(record) ?? { judged: false, texts: {}, marks: 0 };
      word.marks += judged;
      // In the expert's file a mark is about its line alone.
      word.judged = word.marks >= (review.expert ? record.texts.length : 1);
      if (said.corrected === text.machine.trim() || !said.corrected) delete said.corrected;
      if (!said.note) delete said.note;
      if (Object.keys(said).length) word.texts[text.field] = said;
      words.set(record, word);
    }
    words.forEach((word) => delete word.marks);
    return { words, elsewhere, names: [...names] };
  },
};
records.forEach(work.restore);
work.isUnsaved = work.get("unsaved") !== null;
