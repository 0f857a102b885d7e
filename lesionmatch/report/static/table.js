"use strict";
// Tables that sort and filter. A cell's data-value is what the CSV table holds, and is what
// is sorted by; empty cells come last either way.
(() => {
  const keyOf = (row, column) => row.cells[column].dataset.value ?? row.cells[column].textContent.trim();

  const compare = (isNumber, direction) => (a, b) => {
    if (a.key === b.key) return a.place - b.place;
    if (a.key === "") return 1;
    if (b.key === "") return -1;
    const order = isNumber ? Number(a.key) - Number(b.key) : a.key.localeCompare(b.key, "en", { numeric: true });
    return direction * order || a.place - b.place;
  };

  const sort = (table, heading, direction) => {
    const column = heading.cellIndex;
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row, place) => ({ row, place, key: keyOf(row, column) }));
    rows.sort(compare(heading.dataset.type === "number", direction));
    body.append(...rows.map((item) => item.row));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
  };

  const isShown = (row, fields) =>
    fields.every((field) => {
      if (field.type === "checkbox") return !field.checked || row.dataset[field.name] === "true";
      const wanted = field.value.trim().toLowerCase();
      if (wanted === "") return true;
      if (field.type === "search") return row.textContent.toLowerCase().includes(wanted);
      return (row.dataset[field.name] ?? "").toLowerCase().split(";").includes(wanted);
    });

  const filter = (table, form) => {
    const fields = [...form.elements].filter((field) => field.name);
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !isShown(row, fields);
      const about = row.dataset.target && document.getElementById(row.dataset.target);
      if (about) about.hidden = row.hidden;
      if (!row.hidden) shown += 1;
    }
    const count = form.querySelector("output");
    if (count) count.textContent = `${shown} of ${table.tBodies[0].rows.length} shown`;
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    for (const heading of table.tHead.rows[0].cells) {
      const button = heading.querySelector("button");
      button?.addEventListener("click", () =>
        sort(table, heading, heading.getAttribute("aria-sort") === "ascending" ? -1 : 1));
    }
  }
  for (const form of document.querySelectorAll("form.filters[data-table]")) {
    const table = document.getElementById(form.dataset.table);
    form.addEventListener("input", () => filter(table, form));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => filter(table, form)));
    filter(table, form);
  }
})();
