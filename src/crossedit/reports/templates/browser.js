// The browser of facts: filters, a list of facts that opens to all answers, and addresses (#fact=…) that lead to one.

function browseFacts(source) {
  answers.read(source.textContent);
  const { names, words } = answers;
  const PAGE = 15; // facts at once
  const LONG = 400; // letters (code points) of a text that are shown at once
  const find = (id) => document.getElementById(`by-${id}`);
  const app = document.getElementById("facts-app");
  const list = document.getElementById("facts-found");
  const pager = app.querySelector(".pager");
  const language = (code) => words.languages[code] ?? code;
  const count = (number, what) => `${number.toLocaleString("en")} ${what}${number === 1 ? "" : "s"}`;

  // What can be chosen: by its name in addresses, the names that it has there, as people read them, whether all, and
  // what one of them is.
  const FIELDS = {
    facts: [names.facts, String, true, "facts"],
    backbone: [names.backbone, String, false, "backbone"],
    edit_lang: [names.edit_lang, language, false, "editing language"],
    editor: [names.editor, String, true, "editor"],
    slot: [names.slot, (name) => words.slots[names.slot.indexOf(name)], true, "aspect"],
    lang: [names.lang, language, true, "asking language"],
    outcome: [names.outcome, String, true, "outcome"],
  };
  for (const [field, [all, word, any]] of Object.entries(FIELDS)) {
    const select = find(field);
    if (any) select.append(new Option("all", ALL));
    if (field === "outcome") select.append(new Option("wrong in any way", WRONG));
    select.append(...all.map((name, number) => new Option(word(name), number)));
    select.parentElement.hidden = all.length < 2;
  }

  let found = { facts: [], of: [] };
  let passes = () => true;
  let page = 0;
  let open = null; // the case that is open
  let following = false; // whether what is shown is just being set by an address
  let waiting; // for the end of typing

  function chosen() {
    const fields = Object.keys(FIELDS).map((field) => [field, Number(find(field).value)]);
    return { ...Object.fromEntries(fields), text: find("text").value.trim() };
  }

  const tell = (text) => (document.getElementById("facts-told").textContent = text);

  // Look for what is chosen, and show its first page.
  function choose() {
    const now = chosen();
    found = answers.matching(now);
    passes = answers.test(now);
    const shown = found.facts.reduce((sum, fact) => sum + fact.passed, 0);
    const all = found.of.reduce((sum, fact) => sum + fact.end - fact.begin, 0);
    const part = (some, whole, what) => (shown === all ? "" : `${some.toLocaleString("en")} of `) + count(whole, what);
    const told = `${part(found.facts.length, found.of.length, "fact")}, ${part(shown, all, "answer")}`;
    document.getElementById("facts-count").textContent = told;
    app.classList.toggle("searching", shown < all);
    go(0);
  }

  function go(to) {
    const last = Math.max(0, Math.ceil(found.facts.length / PAGE) - 1);
    page = Math.min(Math.max(to, 0), last);
    const shown = found.facts.slice(page * PAGE, (page + 1) * PAGE);
    list.replaceChildren(...shown.map(item));
    list.start = page * PAGE + 1;
    pager.hidden = last === 0;
    pager.querySelector("output").textContent =
      `${page * PAGE + 1}–${page * PAGE + shown.length} of ${found.facts.length.toLocaleString("en")}`;
    // A button that is disabled outright would lose the focus.
    pager.querySelector(".back").setAttribute("aria-disabled", page === 0);
    pager.querySelector(".on").setAttribute("aria-disabled", page === last);
  }

  // Return a fact of the list; what is in it is made when it is opened.
  function item(fact) {
    const { cases } = answers;
    const first = answers.row(fact.begin);
    const id = `case-${fact.case}`;
    const of = fact.end - fact.begin;
    const told = [
      names.facts.length > 1 ? names.facts[cases.facts[fact.case]] : "",
      `case ${cases.case_id[fact.case]}`,
      `${fact.right} of ${of} right`,
      fact.passed < of ? `${fact.passed} match` : "",
    ];
    const button = make(
      "button",
      { type: "button", "aria-expanded": "false", "aria-controls": id, onclick: () => show(open !== fact.case) },
      heading(first.prompt, first.lang, "question"),
      make("span", { class: "soft" }, "→ ", heading(first.target, first.lang)),
      make("span", { class: "aside" }, told.filter(Boolean).join(" · ")),
    );
    const body = make("div", { id, class: "fact", hidden: true });
    const entry = make("li", {}, make("h3", {}, button), body);
    // Put in what passes the filters, or all answers.
    function fill(all) {
      const press = () => { fill(!all); body.querySelector(".rest").focus(); };
      const told = all ? "Show only what matches" : "Show all questions and editors";
      const rest = make("button", { type: "button", class: "rest", onclick: press }, told);
      body.replaceChildren(...(fact.passed < of ? [rest] : []), ...factOf(fact, all));
    }
    // Open or close; one fact is open at a time.
    function show(now) {
      if (now) for (const other of list.children) if (other !== entry) other.show(false);
      button.setAttribute("aria-expanded", String(now));
      body.hidden = !now;
      if (now && !body.hasChildNodes()) fill(false);
      if (now || open === fact.case) open = now ? fact.case : null;
      remember();
    }
    entry.show = show;
    entry.fact = fact;
    if (open === fact.case) show(true);
    return entry;
  }

  // Return answers to a fact, at a glance, then question by question: all, or those to the questions that any passes
  // of, of the editors that any does.
  function factOf(fact, all) {
    const every = Array.from({ length: fact.end - fact.begin }, (_, place) => {
      const row = fact.begin + place;
      return { ...answers.row(row), passed: passes(row) };
    });
    const asked = new Set(), edited = new Set();
    for (const row of every) if (all || row.passed) { asked.add(row.question); edited.add(row.editor); }
    const rows = every.filter((row) => asked.has(row.question) && edited.has(row.editor));
    const questions = []; // rows by question, which stand together
    for (const row of rows) {
      if (questions.at(-1)?.[0].question === row.question) questions.at(-1).push(row);
      else questions.push([row]);
    }
    const editors = names.editor.filter((editor) => rows.some((row) => row.editor === editor));
    const link = make("a", { href: address(fact.case), onclick: copy }, "Link to this fact");
    return [glance(questions, editors), ...questions.map(askedOf), make("p", { class: "note" }, link)];
  }

  // Put the address of a link into the clipboard, where the browser has one to give.
  async function copy(event) {
    const { href } = event.currentTarget;
    try {
      await navigator.clipboard.writeText(href);
      tell("The link is copied.");
    } catch {
      tell("The address of this page leads to the fact: copy it.");
    }
  }

  const title = ({ slot, lang }) => `${words.slots[slot]}, ${language(names.lang[lang])}`;

  // Return editors by questions, with a mark of what came of each.
  function glance(questions, editors) {
    const head = questions.map(([first]) =>
      make("th", { scope: "col" }, words.slots[first.slot], make("br"), make("span", { class: "soft" }, language(names.lang[first.lang]))),
    );
    const lines = editors.map((editor) => {
      const marks = questions.map((rows) => {
        const row = rows.find((each) => each.editor === editor);
        return row ? make("td", { class: tone(row) }, row.outcome) : make("td", {}, "–");
      });
      return make("tr", {}, make("th", { scope: "row" }, editor), ...marks);
    });
    const table = make(
      "table",
      { class: "glance" },
      make("thead", {}, make("tr", {}, make("td"), ...head)),
      make("tbody", {}, ...lines),
    );
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What came of each question" }, table);
  }

  // Return a question with what each editor's model answers.
  function askedOf(rows) {
    const [first] = rows;
    const lang = names.lang[first.lang];
    const isLocality = names.slot[first.slot].startsWith("locality");
    const told = isLocality
      ? [["Should stay", first.before], ["In the data", first.target]]
      : [["Should become", first.target], ["Before", first.before]];
    const tiles = rows.map((row) =>
      make(
        "li",
        { class: `${tone(row)}${row.passed ? "" : " other"}` },
        make("b", {}, row.editor),
        text("span", row.after, first.lang, "answer"),
        make("span", { class: "outcome" }, row.outcome),
        row.before === first.before ? "" : make("span", { class: "soft" }, "before: ", text("span", row.before, first.lang)),
      ),
    );
    return make(
      "div",
      { class: "asked", role: "group", "aria-label": title(first) },
      make(
        "div",
        {},
        make("h4", {}, words.slots[first.slot], " ", make("span", { class: "tag" }, language(lang))),
        text("p", first.prompt, first.lang, "question"),
        make("dl", {}, ...told.flatMap(([name, said]) => [make("dt", {}, name), text("dd", said, first.lang)])),
      ),
      make("ul", { class: "tiles", "aria-label": "Answers after the edit" }, ...tiles),
    );
  }

  const tone = ({ outcome }) => (outcome === "right" ? "right" : outcome === "unchanged" ? "same" : "wrong");

  // Return the beginning of a text where it is long, and how many letters it has; null where it isn't long.
  function cut(said) {
    if (said.length <= LONG) return null;
    const letters = Array.from(said);
    return letters.length <= LONG ? null : [`${letters.slice(0, LONG).join("")}…`, letters.length];
  }

  // Return an element for a text in an evaluation language.
  function written(tag, said, lang, kind) {
    const element = make(tag, { class: kind, lang: names.lang[lang], dir: "auto" });
    if (said) element.textContent = said;
    else element.append(make("i", { class: "soft", lang: "en" }, "(nothing)"));
    return element;
  }

  // Return the text, of which a long one's end is there at a press.
  function text(tag, said, lang, kind = null) {
    const part = cut(said);
    if (!part) return written(tag, said, lang, kind);
    const [beginning, letters] = part;
    const element = written(tag, `${beginning} `, lang, kind);
    const whole = () => { element.textContent = said; element.tabIndex = -1; element.focus({ preventScroll: true }); };
    element.append(make("button", { type: "button", class: "more", lang: "en", onclick: whole }, `all ${count(letters, "letter")}`));
    return element;
  }

  // Return the text within a button, where there can be no other.
  const heading = (said, lang, kind = null) => written("span", cut(said)?.[0] ?? said, lang, kind);

  // Return the address of what is chosen, with a fact where one is open.
  function address(its) {
    const told = new URLSearchParams({ fact: its === null ? "" : String(answers.cases.case_id[its]) });
    for (const [field, [all]] of Object.entries(FIELDS)) {
      const number = field === "facts" && its !== null ? answers.cases.facts[its] : Number(find(field).value);
      if (all.length > 1 && number !== ALL) told.set(field, number === WRONG ? "wrong" : all[number]);
    }
    if (find("text").value.trim()) told.set("text", find("text").value.trim());
    return `#${told}`;
  }

  // Put what is shown into the address of the page, where the browser lets it, and into what Back comes back to.
  function remember(place = address(open)) {
    if (following) return;
    tell("");
    try {
      history.replaceState({ shown: address(open) }, "", place);
    } catch (error) {
      if (error.name !== "SecurityError") throw error; // as within a page that is shown in another one
    }
  }

  // Set the filters and open a fact as an address names them. Return where in the list it is, and what isn't there.
  function set(told) {
    clearTimeout(waiting);
    following = true;
    const absent = [];
    for (const [field, [all, , any, what]] of Object.entries(FIELDS)) {
      const name = told.get(field);
      const number = name === "wrong" && field === "outcome" ? WRONG : all.indexOf(name);
      if (name && number === ALL) absent.push(`${what} ${cut(name)?.[0] ?? name} is not in this report`);
      find(field).value = number === ALL && !any ? 0 : number;
    }
    find("text").value = told.get("text") ?? "";
    open = null;
    choose();
    const wanted = told.get("fact");
    const { case_id, facts } = answers.cases;
    const isNamed = (its) => String(case_id[its]) === wanted && (!told.has("facts") || names.facts[facts[its]] === told.get("facts"));
    const place = wanted ? found.facts.findIndex((fact) => isNamed(fact.case)) : ALL;
    if (place !== ALL) {
      open = found.facts[place].case;
      go(Math.floor(place / PAGE));
    } else if (wanted) absent.push(`case ${cut(wanted)?.[0] ?? wanted} is not among these facts`);
    following = false;
    return [place, absent];
  }

  // Show what the page's address names. Return whether it names anything of this browser.
  function follow() {
    const told = new URLSearchParams(location.hash.slice(1));
    if (!told.has("fact")) return false;
    const [place, absent] = set(told);
    tell(absent.join("; "));
    const target = place === ALL ? app : list.children[place % PAGE];
    target.scrollIntoView({ block: "start" });
    (place === ALL ? find("backbone") : target.querySelector("button")).focus({ preventScroll: true });
    return true;
  }

  // Show again what was shown when the page was left, or another place in it was gone to.
  function restore(state) {
    if (!state?.shown || new URLSearchParams(location.hash.slice(1)).has("fact")) return false;
    set(new URLSearchParams(state.shown.slice(1)));
    tell("");
    return true;
  }

  // A link to where one is already changes no address.
  function clicked(event) {
    const link = event.target.closest('a[href^="#fact="]');
    if (link && !app.contains(link) && link.hash === location.hash && !event.ctrlKey && !event.metaKey && !event.shiftKey) follow();
  }

  const chooseAnew = () => { open = null; choose(); remember(); };
  for (const field of Object.keys(FIELDS)) find(field).addEventListener("change", chooseAnew);
  find("text").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(chooseAnew, 150); });
  app.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
  app.querySelector("form").addEventListener("reset", () => setTimeout(chooseAnew));
  function turn(by, { currentTarget }) {
    if (currentTarget.getAttribute("aria-disabled") === "true") return;
    open = null;
    go(page + by);
    remember();
    list.scrollIntoView({ block: "start" });
  }
  pager.querySelector(".back").addEventListener("click", (event) => turn(-1, event));
  pager.querySelector(".on").addEventListener("click", (event) => turn(1, event));
  addEventListener("popstate", ({ state }) => restore(state));
  addEventListener("hashchange", () => follow() || remember(location.hash));
  document.addEventListener("click", clicked);
  document.getElementById("facts-missing").remove();
  app.hidden = false;
  if (!follow()) {
    if (!restore(history.state)) choose();
    remember(location.hash);
  }
}

const answersInPage = document.getElementById("answers");
if (answersInPage) browseFacts(answersInPage);
