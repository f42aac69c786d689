// A record as it is shown: source beside an editable translation for each text, what was found, a note, and "looked at".

const fit = (area) => {
  if (CSS.supports("field-sizing", "content")) return;
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
};

function cardOf(record, tell) {
  const title = `r${record.place}`;
  const name = `${record.case_id}`;
  const done = make("button", {
    type: "button",
    class: "done",
    onclick: () => { work.judge(record, !work.of(record).judged); update(); tell(); },
  });
  const card = make(
    "article",
    { "aria-labelledby": title, "data-place": record.place },
    make(
      "header",
      {},
      make("h2", { id: title }, make("span", { class: "soft" }, "Record "), name),
      make("span", { class: "split" }, record.split),
      make("span", { class: "state" }),
    ),
  );
  const updates = record.texts.map((text) => {
    const [block, update] = textOf(record, text, tell);
    card.append(block);
    return update;
  });
  if (record.beside.length) card.append(besideOf(record));
  const keys = make("span", { "aria-hidden": "true" }, make("kbd", {}, "Ctrl"), " ", make("kbd", {}, "Enter"));
  card.append(make("footer", {}, done, keys));

  function update() {
    const { judged } = work.of(record);
    card.classList.toggle("judged", judged);
    card.querySelector(".state").textContent = judged ? "✓ looked at" : "";
    done.textContent = judged ? "✓ Looked at" : "Mark as looked at";
    done.setAttribute("aria-pressed", judged);
    updates.forEach((each) => each());
  }
  update();
  card.update = update;
  return card;
}

function textOf(record, text, tell) {
  const id = `r${record.place}-${text.field}`;
  const area = make("textarea", {
    id,
    rows: 1,
    lang: review.lang,
    dir: "auto",
    spellcheck: "true",
    autocomplete: "off",
    "aria-describedby": [`${id}-source`, text.checks.length && `${id}-checks`, `${id}-was`].filter(Boolean).join(" "),
    oninput: () => {
      // A text of one line stays one, also where several are pasted.
      if (!text.machine.includes("\n") && area.value.includes("\n")) area.value = area.value.replace(/\s*\n\s*/g, " ");
      work.say(record, text, { corrected: area.value });
      show();
      tell();
    },
    onblur: () => {
      if (!area.value.trim()) {
        tell("A translation can't be empty: the machine's text was put back.");
        update();
      }
    },
  });
  const note = make("input", {
    type: "text",
    dir: "auto",
    class: "note",
    placeholder: "Why? (a note, if it helps)",
    "aria-label": `Note on: ${review.names[text.field]}`,
    autocomplete: "off",
    oninput: () => { work.say(record, text, { note: note.value }); tell(); },
    onblur: () => show(),
  });
  const ask = make("button", {
    type: "button",
    class: "quiet ask",
    "aria-label": `Add a note on: ${review.names[text.field]}`,
    onclick: () => { note.hidden = false; ask.hidden = true; note.focus(); },
  }, "Note");
  const was = make("del", { lang: review.lang, dir: "auto" }, text.machine);
  const putBack = () => { put(text.machine); area.focus(); };
  const back = make("button", { type: "button", class: "quiet", onclick: putBack }, "Put back");
  const before = make("p", { class: "was", id: `${id}-was` }, make("span", { class: "soft" }, "was "), was, " ", back);
  const right = make("div", { class: "translation" }, area, ask, before);
  for (const proposal of text.proposals) right.append(proposalOf(proposal, () => put(proposal.text)));
  if (text.checks.length) {
    const found = text.checks.map((message) => make("li", {}, message));
    right.append(make("ul", { class: "checks", id: `${id}-checks`, "aria-label": "Found by a check" }, ...found));
  }
  right.append(note);
  const block = make(
    "div",
    { class: text.checks.length ? "text flagged" : "text" },
    make("label", { for: id }, review.names[text.field]),
    make("p", { class: "source", id: `${id}-source`, lang: review.source_lang, dir: "auto" }, text.source),
    right,
  );

  function put(value) {
    work.say(record, text, { corrected: value });
    area.value = value;
    show();
    tell();
  }
  // Show what follows from the words.
  function show() {
    const changed = work.corrected(record, text) !== undefined;
    block.classList.toggle("changed", changed);
    before.hidden = !changed;
    note.hidden = !changed && !work.note(record, text) && document.activeElement !== note;
    ask.hidden = !note.hidden;
    fit(area);
  }
  // Show the words themselves as well; spaces at the edges, as they are there while one writes, make no other word.
  function update() {
    const words = [[area, work.corrected(record, text) ?? text.machine], [note, work.note(record, text)]];
    for (const [place, value] of words) if (place.value.trim() !== value.trim()) place.value = value;
    show();
  }
  return [block, update];
}

function proposalOf(proposal, take) {
  return make(
    "p",
    { class: "proposal" },
    make("b", {}, proposal.by),
    " ",
    make("span", { lang: review.lang, dir: "auto" }, proposal.text),
    ...(proposal.note ? [" ", make("span", { class: "soft" }, `(${proposal.note})`)] : []),
    " ",
    make("button", { type: "button", class: "quiet", "aria-label": `Take ${proposal.by}'s text`, onclick: take }, "Take"),
  );
}

function besideOf(record) {
  const lines = record.beside.flatMap((text) => [
    make("dt", {}, review.names[text.field]),
    make("dd", {}, make("span", { lang: review.source_lang, dir: "auto" }, text.source)),
    make("dd", {}, make("span", { lang: review.lang, dir: "auto" }, text.machine)),
  ]);
  return make("details", { class: "beside" }, make("summary", {}, "The rest of the record"), make("dl", {}, ...lines));
}
