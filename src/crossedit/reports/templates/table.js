// Every sheet can be sorted by any column and filtered, and shows what stands beside its numbers. Without scripts the
// tables stand as they are.
(() => {
  const MANY = 4;  // rows, from which on a filter is worth its place
  const order = new Intl.Collator(document.documentElement.lang, { numeric: true });

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  // Labels span rows that belong together. Sorted or filtered, each row has to say for itself what it is of.
  function expand(body) {
    let above = [];
    for (const row of body.rows) {
      const own = row.querySelectorAll("th").length;
      row.prepend(...above.slice(0, above.length - own).map((label) => label.cloneNode(true)));
      above = [...row.querySelectorAll("th")];
      for (const label of above) {
        label.removeAttribute("rowspan");
        label.scope = "row";
      }
      row.removeAttribute("class");
    }
    return [...body.rows];
  }

  // The words of a row without what stands beside its numbers.
  function words(row) {
    const copy = row.cloneNode(true);
    copy.querySelectorAll("small").forEach((beside) => beside.remove());
    return [...copy.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
  }

  // What a cell is sorted by: numbers before words, and dashes last in either direction. Of several numbers it is the
  // one in the place given.
  function key(cell, place) {
    const text = cell.textContent.trim();
    const values = cell.dataset.value?.split(" ") ?? [""];
    const value = values[place] ?? values[0];
    if (value) return { rank: 0, value: Number(value), text };
    return { rank: text === "" || text === "–" ? 2 : 1, value: 0, text };
  }

  function sorted(rows, column, place, sign) {
    const keyed = rows.map((row) => [row, key(row.cells[column], place)]);
    keyed.sort(([, a], [, b]) => a.rank - b.rank || sign * (a.value - b.value || (a.rank && order.compare(a.text, b.text))));
    return keyed.map(([row]) => row);
  }

  function equip(sheet) {
    const table = sheet.querySelector("table");
    const count = table.tBodies[0].rows.length;
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    const found = make("output");
    const filter = make("input", { type: "search", autocomplete: "off", oninput: select });
    const choice = make("select", { oninput: arrange });
    let by = null;  // the column that rows are sorted by
    let served = null;  // the rows as they were, once they have been changed
    let rows = [];
    let texts = [];

    function change() {
      if (served) return;
      served = table.tBodies[0].cloneNode(true);
      rows = expand(table.tBodies[0]);
      texts = rows.map(words);
    }

    function sort(head, column) {
      change();
      const numbers = head.classList.contains("number");
      const before = head.getAttribute("aria-sort");
      const falls = before ? before === "ascending" : numbers;  // the best score is what one looks for
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falls ? "descending" : "ascending");
      by = column;
      arrange();
    }

    function arrange() {
      if (by === null) return;
      const sign = heads[by].getAttribute("aria-sort") === "descending" ? -1 : 1;
      table.tBodies[0].append(...sorted(rows, by, choice.selectedIndex, sign));
    }

    function select() {
      change();
      const wanted = filter.value.toLowerCase().split(/\s+/);
      let shown = 0;
      rows.forEach((row, place) => {
        row.hidden = !wanted.every((word) => texts[place].includes(word));
        shown += !row.hidden;
      });
      found.value = filter.value.trim() ? `${shown} of ${count} rows` : "";
    }

    function reset() {
      if (served) table.tBodies[0].replaceWith(served);
      served = by = null;
      filter.value = found.value = "";
      heads.forEach((head) => head.removeAttribute("aria-sort"));
    }

    const tools = make("div", { className: "tools" });
    if (count >= MANY) tools.append(make("label", {}, "Filter rows", filter), found);
    if (sheet.querySelector("small")) {
      const box = make("input", { type: "checkbox", checked: sheet.classList.contains("intervals") });
      box.addEventListener("input", () => sheet.classList.toggle("intervals", box.checked));
      tools.append(make("label", {}, box, sheet.dataset.beside));
    }
    if (count > 1) {
      heads.forEach((head, column) => {
        const button = make("button", { type: "button", onclick: () => sort(head, column) }, ...head.childNodes);
        head.append(button);
      });
      if (sheet.dataset.choices) {
        choice.append(...sheet.dataset.choices.split("|").map((name) => new Option(name)));
        tools.append(make("label", {}, "Sort numbers by", choice));
      }
      tools.append(make("button", { type: "button", onclick: reset }, "Reset"));
    }
    if (tools.firstChild) sheet.querySelector(".scroll").before(tools);
  }

  document.querySelectorAll("figure.sheet").forEach(equip);
})();
