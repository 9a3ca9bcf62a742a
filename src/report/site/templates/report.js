// What pages can do where scripts run: search in long tables and in the whole report, and follow lines in drawings.
// Everything that is said stands in the pages without it.
"use strict";

const plain = (text) => text.toLowerCase().normalize("NFKD");

// A row is shown if it holds every word that is looked for.
function holdsAll(text, words) {
  return words.every((word) => text.includes(word));
}

function wordsOf(field) {
  return plain(field.value).split(/\s+/).filter(Boolean);
}

function addFilter(table, number) {
  const rows = Array.from(table.tBodies[0].rows, (row) => [row, plain(row.innerText || row.textContent)]);
  const label = document.createElement("label");
  const field = document.createElement("input");
  const count = document.createElement("span");
  const line = document.createElement("p");
  field.type = "search";
  field.id = "filter-" + number;
  field.autocomplete = "off";
  label.htmlFor = field.id;
  label.textContent = "Show rows with";
  count.setAttribute("role", "status");
  line.className = "filter";
  line.append(label, " ", field, " ", count);
  table.closest(".wide").before(line);
  field.addEventListener("input", () => {
    const words = wordsOf(field);
    let shown = 0;
    for (const [row, text] of rows) {
      row.hidden = !holdsAll(text, words);
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = words.length ? shown + " of " + rows.length : "";
  });
}

function addSearch(box) {
  const field = document.getElementById("find");
  const list = document.getElementById("found");
  const count = document.getElementById("found-count");
  const most = 40;
  let entries = null;
  box.hidden = false;
  field.addEventListener("input", () => {
    entries = entries || (window.cordonPages || []).map((entry) => [entry, plain(entry.join(" "))]);
    const words = wordsOf(field);
    const found = words.length ? entries.filter(([, text]) => holdsAll(text, words)) : [];
    // What is called so stands before what only speaks of it.
    const named = ([[, title]]) => holdsAll(plain(title), words);
    found.sort((one, other) => named(other) - named(one));
    list.replaceChildren(...found.slice(0, most).map(([[kind, title, href, about]]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      const note = document.createElement("small");
      link.href = href;
      link.textContent = title;
      note.textContent = about ? kind + ": " + about : kind;
      item.append(link, " ", note);
      return item;
    }));
    const more = found.length > most ? ", the first " + most + " are shown" : "";
    count.textContent = words.length ? found.length + " found" + more : "";
  });
}

function followLines(drawing) {
  const lines = Array.from(drawing.querySelectorAll(".line[data-ends]"), (line) => [line, line.dataset.ends.split(" ")]);
  const nodes = Array.from(drawing.querySelectorAll(".node"));
  const show = (name) => {
    const near = new Set([name]);
    for (const [line, ends] of lines) {
      const on = ends.includes(name);
      line.classList.toggle("on", on);
      if (on) ends.forEach((end) => near.add(end));
    }
    for (const node of nodes) node.classList.toggle("off", name !== null && !near.has(node.dataset.name));
    drawing.classList.toggle("following", name !== null);
  };
  for (const node of nodes) {
    for (const event of ["mouseenter", "focus"]) node.addEventListener(event, () => show(node.dataset.name));
    for (const event of ["mouseleave", "blur"]) node.addEventListener(event, () => show(null));
  }
}

// In the matrix, the row and the column of the cell under the pointer.
function followCells(table) {
  const mark = (cell, on) => {
    const row = cell.closest("tr");
    row.classList.toggle("on", on);
    const head = table.tHead.rows[0].cells[cell.cellIndex];
    if (head) head.classList.toggle("on", on);
  };
  for (const [start, end] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    table.addEventListener(start, (event) => { const cell = event.target.closest("td"); if (cell) mark(cell, true); });
    table.addEventListener(end, (event) => { const cell = event.target.closest("td"); if (cell) mark(cell, false); });
  }
  document.addEventListener("keydown", (event) => {
    const open = document.querySelector(".panel:target");
    if (event.key === "Escape" && open) open.querySelector(".close").click();
  });
}

document.querySelectorAll("table.long").forEach(addFilter);
document.querySelectorAll("#search").forEach(addSearch);
document.querySelectorAll("svg.drawing").forEach(followLines);
document.querySelectorAll("table.matrix").forEach(followCells);
