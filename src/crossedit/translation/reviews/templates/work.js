// What the person has said so far: by record, whether it was looked at, and by field, the right text and a note.
// It is kept in the browser's storage with every keystroke, a record at a time, under the person's name. Where the browser
// takes nothing, it is in memory only.

const review = JSON.parse(document.getElementById("data").textContent);
csv.mistaken = new RegExp(`^(?:${review.mistaken})$`, "u");
csv.unwritable = new RegExp(review.unwritable, "gu");

const caseOf = (line) => JSON.stringify([line.split, Number(line.case_id), line.lang]);
const records = review.records.map((record, place) => ({ ...record, place, key: caseOf(record) }));

const work = {
  place: `crossedit review ${review.key} `,
  memory: new Map(), // what was put into the storage from here
  by: "",
  words: new Map(),
  keeps: true, // whether the browser takes it
  isUnsaved: false, // whether something was said since the last file

  // Where this person's work is kept.
  get own() { return `${work.place}${JSON.stringify(work.by)} `; },
  get lastPerson() { return work.get(`${work.place}by`) ?? review.by; },

  // Take up what was kept of a person.
  begin(name) {
    work.by = name;
    records.forEach(work.restore);
    work.isUnsaved = work.get(`${work.own}unsaved`) !== null;
  },
  // Go on as a person, and take along what was done until now where that was theirs.
  goOn(name, isTheirs) {
    const done = [...work.words];
    const { isUnsaved } = work;
    work.put(`${work.place}by`, name);
    if (isTheirs) {
      done.forEach(([key]) => work.put(work.own + key, null));
      work.put(`${work.own}unsaved`, null);
    }
    work.begin(name);
    if (!isTheirs) return;
    for (const [key, word] of done) {
      const kept = work.words.get(key);
      work.keep({ key }, { judged: word.judged || Boolean(kept?.judged), texts: { ...kept?.texts, ...word.texts } });
    }
    if (!isUnsaved && work.words.size === done.length) work.saved();
  },

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
    work.put(work.own + record.key, empty ? null : JSON.stringify(word));
    work.isUnsaved = true;
    work.put(`${work.own}unsaved`, "yes");
  },
  saved() {
    work.isUnsaved = false;
    work.put(`${work.own}unsaved`, null);
  },

  get(key) {
    if (work.memory.has(key)) return work.memory.get(key);
    try {
      return localStorage.getItem(key);
    } catch {
      work.keeps = false;
      return null;
    }
  },
  put(key, value) {
    work.memory.set(key, value);
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, value);
    } catch {
      work.keeps = false; // the page says so, and asks to save
    }
  },
  restore(record) {
    const kept = work.get(work.own + record.key);
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

  // Return the lines of such a file, and the people whose words they hold.
  read(content) {
    const lines = csv.read(content, review.columns).map((raw) => {
      const line = Object.fromEntries(Object.entries(raw).map(([name, text]) => [name, csv.unguarded(text)]));
      for (const name of ["corrected", "judged", "by", "note"]) line[name] = (line[name] ?? "").trim();
      return { ...line, speaks: Boolean(line.corrected || line.judged || line.note) };
    });
    return { lines, names: [...new Set(lines.filter((line) => line.speaks).map((line) => line.by))].filter(Boolean) };
  },

  // Return what these lines say of the records, how many of them are about other texts, and how many records are marked
  // there but hold texts that the person hasn't seen.
  understand(lines) {
    const here = new Map(records.map((record) => [record.key, record]));
    const byKey = new Map(lines.map((line) => [caseOf(line), []]));
    for (const line of lines) byKey.get(caseOf(line)).push(line);
    const words = new Map();
    let elsewhere = 0, unseen = 0;
    byKey.forEach((ofRecord, key) => {
      const record = here.get(key);
      const marked = ofRecord.some((line) => line.judged);
      const texts = {};
      const seen = new Set();
      for (const line of ofRecord) {
        const text = record?.texts.find((known) => known.field === line.field);
        if (!text || text.machine !== line.machine || (line.record && line.record !== record.record)) {
          elsewhere += line.speaks || marked;
          continue;
        }
        // In the expert's file a mark is about its line alone.
        if (review.expert ? line.judged : marked) seen.add(text.field);
        const said = {};
        if (line.corrected && line.corrected !== text.machine.trim()) said.corrected = line.corrected;
        if (line.note) said.note = line.note;
        if (Object.keys(said).length) texts[text.field] = said;
      }
      const judged = Boolean(record) && seen.size === record.texts.length;
      if (record && marked && !judged) unseen += 1;
      if (judged || Object.keys(texts).length) words.set(record, { judged, texts });
    });
    return { words, elsewhere, unseen };
  },
};
work.begin(work.lastPerson);
