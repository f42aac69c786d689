// The page: which records are shown, where the person is, saving and loading.

const PAGE = 10; // records in the document at a time
const find = (id) => document.getElementById(id);
let chosen = records; // those that search and filter leave
let page = 0;

const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const cards = () => [...find("records").children].filter((card) => card.update);
const cardWithFocus = () => document.activeElement?.closest?.("article") ?? null;

function tell(message) {
  const { judged, changed } = work.counts();
  find("progress").max = records.length;
  find("progress").value = judged;
  find("counts").textContent =
    `${judged.toLocaleString("en")} of ${plural(records.length, "record")} looked at · ${plural(changed, "text")} changed`;
  find("unsaved").hidden = !work.isUnsaved;
  find("unkept").hidden = work.keeps;
  if (typeof message === "string") find("message").textContent = message;
}

const texts = (record) =>
  record.texts.flatMap((text) => [text.source, text.machine, work.corrected(record, text) ?? "", work.note(record, text)]);

const FILTERS = {
  all: () => true,
  flagged: (record) => record.texts.some((text) => text.checks.length),
  open: (record) => !work.of(record).judged,
  changed: work.isChanged,
};

function choose() {
  const wanted = find("search").value.trim().toLowerCase();
  const fits = FILTERS[find("filter").value];
  const isFound = (record) =>
    !wanted || String(record.case_id) === wanted || texts(record).some((text) => text.toLowerCase().includes(wanted));
  chosen = records.filter((record) => fits(record) && isFound(record));
  go(0);
  find("message").textContent = chosen.length === records.length ? "" : `${plural(chosen.length, "record")} found`;
}

function go(to) {
  const last = Math.max(0, Math.ceil(chosen.length / PAGE) - 1);
  page = Math.min(Math.max(to, 0), last);
  const begin = page * PAGE;
  const shown = chosen.slice(begin, begin + PAGE).map((record) => cardOf(record, tell));
  find("records").replaceChildren(...(shown.length ? shown : [make("p", { class: "none" }, "No record fits.")]));
  shown.forEach((card) => card.querySelectorAll("textarea").forEach(fit));
  for (const pager of document.querySelectorAll(".pager")) {
    pager.hidden = last === 0;
    pager.querySelector("output").textContent = `${begin + 1}–${begin + shown.length} of ${chosen.length.toLocaleString("en")}`;
    pager.querySelector(".back").disabled = page === 0;
    pager.querySelector(".on").disabled = page === last;
  }
  tell();
}

function enter(card) {
  card?.querySelector("textarea")?.focus({ preventScroll: true });
  card?.scrollIntoView({ block: "start" });
}

// Begin where the person has left off.
function begin() {
  const place = Math.max(0, chosen.findIndex((record) => !work.of(record).judged));
  go(Math.floor(place / PAGE));
  enter(cards()[place % PAGE]);
}

// Go to the record after this one, or before it, over the edges of pages.
function step(card, by) {
  const there = cards();
  const next = there[there.indexOf(card) + by];
  if (next) return enter(next);
  const before = page;
  go(page + by);
  if (page !== before) return enter(by > 0 ? cards()[0] : cards().at(-1));
  if (by > 0) tell("That was the last record.");
  enter(by > 0 ? cards().at(-1) : cards()[0]);
}

function judgeAndGoOn() {
  const recordOf = (card) => records[card.dataset.place];
  const card = cardWithFocus();
  // Only what is being looked at is marked.
  if (!card) return enter(cards().find((each) => !work.of(recordOf(each)).judged));
  const record = recordOf(card);
  const area = document.activeElement;
  const isEmpty = area.matches("textarea") && !area.value.trim();
  area.blur();
  if (isEmpty) return;
  work.judge(record, true);
  card.update();
  tell(`Record ${record.case_id} looked at.`);
  step(card, 1);
}

function save() {
  if (!work.by.trim()) return askName();
  const name = work.by.trim().replace(/[\\/:*?"<>|\s]+/g, "-");
  const url = URL.createObjectURL(new Blob([work.file()], { type: "text/csv;charset=utf-8" }));
  const link = make("a", { href: url, download: `${review.lang}.${name}.csv` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
  work.saved();
  const { judged, changed } = work.counts();
  tell(`Saved as ${link.download}: ${plural(judged, "record")} looked at, ${plural(changed, "text")} changed.`);
}

async function load(file) {
  const { lines, names } = work.read(await file.text());
  const mine = work.by || (names.length === 1 ? names[0] : "");
  if (names.length && !names.includes(mine)) {
    const whose = `${file.name} holds the words of ${names.join(", ")}`;
    return tell(`${whose}${work.by && `, not of ${work.by}`}: to go on with one's own, write that name above, and load it again.`);
  }
  // A line without a name is the person's who is named in the others; one that says nothing may have anybody's.
  const isOwn = ({ by, speaks }) => by === mine || (speaks ? !by && names.length < 2 : !names.includes(by));
  const own = lines.filter(isOwn);
  const others = lines.filter((line) => line.speaks && !isOwn(line)).length;
  if (names.length) nameIs(mine);
  const { words, elsewhere, unseen } = work.understand(own);
  const about = [
    others && ` ${plural(others, "line")} by others left out.`,
    elsewhere && ` ${plural(elsewhere, "line")} about other texts left out.`,
    unseen && ` ${plural(unseen, "record")} not marked as looked at, as the file doesn't say so of all texts.`,
  ].filter(Boolean).join("");
  if (!words.size) return tell(`${file.name} says nothing of these records.${about}`);
  const other = [...words].filter(([record, word]) => work.words.has(record.key) && !same(work.of(record), word));
  const many = `${plural(other.length, "record")} you have worked on here ${other.length === 1 ? "is" : "are"}`;
  if (other.length && !confirm(`${many} different in ${file.name}. Take the file's?`)) return tell("Nothing was loaded.");
  words.forEach((word, record) => work.keep(record, word));
  begin();
  tell(`Loaded ${file.name}: it says something of ${plural(words.size, "record")}.${about}`);
}

function same(one, other) {
  const told = ([field, { corrected, note }]) => [field, corrected, note];
  const flat = (word) => JSON.stringify([word.judged, Object.entries(word.texts).map(told).sort()]);
  return flat(one) === flat(other);
}

// Go on under a name. Work that has none yet gets it; that of another name stays there unless it was the same person's.
function nameIs(typed) {
  const name = typed.trim();
  const before = work.by;
  if (name && name !== before) {
    const question = `${before} has worked on ${plural(work.words.size, "record")} here. Are you, ${name}, the same person?`;
    const isTheirs = !before || (work.words.size > 0 && confirm(`${question} If not, ${before}'s work stays as it is.`));
    work.goOn(name, isTheirs);
    cards().forEach((card) => card.update());
  }
  find("by").value = find("name").value = work.by;
  tell();
  return work.by !== before;
}

function askName() {
  find("name").value = work.by;
  find("welcome").showModal();
  find("name").focus();
  find("name").select();
}

function keys(event) {
  if (event.isComposing || event.keyCode === 229 || find("welcome").open) return;
  const control = event.ctrlKey || event.metaKey;
  const card = cardWithFocus();
  if (control && event.key === "Enter") judgeAndGoOn();
  else if (control && event.key.toLowerCase() === "s") save();
  else if (event.altKey && card && ["ArrowDown", "ArrowUp"].includes(event.key)) step(card, event.key === "ArrowDown" ? 1 : -1);
  else if (event.key === "Enter" && event.target.matches("article textarea, article input")) {
    const fields = [...document.querySelectorAll("article textarea")];
    const here = event.target.closest(".text").querySelector("textarea");
    fields[fields.indexOf(here) + (event.shiftKey ? -1 : 1)]?.focus();
  } else return;
  event.preventDefault();
}

let waiting;
find("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(choose, 150); });
find("filter").addEventListener("change", choose);
find("save").addEventListener("click", save);
find("load").addEventListener("click", () => find("file").click());
find("file").addEventListener("change", async () => {
  const [file] = find("file").files;
  if (file) await load(file);
  find("file").value = "";
});
find("by").addEventListener("change", () => nameIs(find("by").value));
find("help").addEventListener("click", askName);
find("welcome").addEventListener("close", () => { if (nameIs(find("name").value)) begin(); });
for (const pager of document.querySelectorAll(".pager")) {
  const turn = (by) => { go(page + by); enter(cards()[0]); };
  pager.querySelector(".back").addEventListener("click", () => turn(-1));
  pager.querySelector(".on").addEventListener("click", () => turn(1));
}
document.addEventListener("keydown", keys);
// The same page in another tab.
window.addEventListener("storage", (event) => {
  if (!event.key?.startsWith(work.place)) return;
  work.memory.delete(event.key);
  if (event.key === `${work.place}by`) {
    work.begin(work.lastPerson);
    find("by").value = work.by;
    return go(page);
  }
  const record = records.find((each) => work.own + each.key === event.key);
  if (record) work.restore(record);
  cards().find((card) => records[card.dataset.place] === record)?.update();
  tell();
});
window.addEventListener("beforeunload", (event) => { if (!work.keeps && work.isUnsaved) event.preventDefault(); });

// What the bar hides is not a place to go to.
const hidden = ([bar]) => document.documentElement.style.setProperty("--bar", `${bar.borderBoxSize[0].blockSize}px`);
new ResizeObserver(hidden).observe(document.querySelector(".bar"));
history.scrollRestoration = "manual";

find("by").value = work.by;
begin();
// Several people may open a page that was made for none of them.
if (!review.by) askName();
