// CSV files, as Python's csv module writes them, and as spreadsheet programs give them back.

const csv = {
  // Return the text of a file with these lines; a mark at its beginning says that it is in UTF-8.
  write(lines) {
    const cell = (text) => (/[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return "\ufeff" + lines.map((line) => line.map(cell).join(",") + "\r\n").join("");
  },

  // Return the lines of a file as objects by the names in its header; the header also tells the delimiter.
  read(text, known) {
    const bare = text.replace(/^\ufeff/, "");
    const fitting = (mark) => (csv.cells(bare, mark)[0] ?? []).filter((name) => known.includes(name.trim())).length;
    const delimiter = [",", ";", "\t"].sort((one, other) => fitting(other) - fitting(one))[0];
    const [header = [], ...lines] = csv.cells(bare, delimiter);
    return lines
      .filter((line) => line.some((cell) => cell.trim()))
      .map((line) => Object.fromEntries(header.map((name, i) => [name.trim(), line[i] ?? ""])));
  },

  cells(text, delimiter) {
    const lines = [[]];
    let cell = "", quoted = false;
    const end = () => { lines.at(-1).push(cell); cell = ""; };
    for (let i = 0; i < text.length; i++) {
      const mark = text[i];
      if (quoted) {
        if (mark !== '"') cell += mark;
        else if (text[i + 1] === '"') { cell += '"'; i++; }
        else quoted = false;
      } else if (mark === '"' && cell === "") quoted = true;
      else if (mark === delimiter) end();
      else if (mark === "\n" || mark === "\r") {
        end();
        lines.push([]);
        if (mark === "\r" && text[i + 1] === "\n") i++;
      } else cell += mark;
    }
    if (cell || lines.at(-1).length) end();
    return lines.filter((line) => line.length);
  },

  // Texts that spreadsheet programs would take for something else have an apostrophe before them in the file; what can't
  // stand there stands as its number.
  guarded(text) {
    const number = (mark) => `_x${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}_`;
    const escaped = text.replace(csv.unwritable, number);
    return csv.mistaken.test(escaped) ? `'${escaped}` : escaped;
  },
  unguarded(text) {
    const bare = text.startsWith("'") && csv.mistaken.test(text.slice(1)) ? text.slice(1) : text;
    return bare.replace(/_x([0-9A-Fa-f]{4})_/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
  },
};
