"use strict";
// What a person settles, kept in the browser until saved as decisions.csv. Earlier decisions
// are saved again before the new ones: nothing that was decided is ever lost.
(() => {
  const columns = ["study_id", "pet", "mri", "reason", "decided_by", "decided_at", "note"];
  const key = `lesionmatch decisions ${location.pathname}`;
  const person = document.getElementById("decided-by");
  const state = document.getElementById("state");
  const forms = [...document.querySelectorAll("form.settle")];
  const earlier = [...document.querySelectorAll("data.earlier")].map((one) => ({ study_id: one.value, ...one.dataset }));

  // What was saved and given back to accuracy is on file now, and no longer new.
  const isOnFile = (draft) =>
    earlier.some((one) => one.study_id === draft.study_id && one.decided_at === draft.decided_at);
  const drafts = {};
  const stored = (() => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } })();
  for (const draft of Object.values(stored?.drafts ?? {})) if (!isOnFile(draft)) drafts[draft.study_id] = draft;
  person.value = stored?.person ?? "";

  // Local time with its zone, as decided_at is wanted.
  const now = () => {
    const at = new Date();
    const minutes = -at.getTimezoneOffset();
    const pad = (n) => String(Math.floor(Math.abs(n))).padStart(2, "0");
    const local = new Date(at.getTime() + minutes * 60000).toISOString().slice(0, 19);
    return `${local}${minutes < 0 ? "-" : "+"}${pad(minutes / 60)}:${pad(minutes % 60)}`;
  };

  const show = () => {
    const count = Object.keys(drafts).length;
    state.textContent = `Studies: ${forms.length}. Decisions on file: ${earlier.length}, new: ${count}.`;
    for (const form of forms) {
      const study = form.dataset.study;
      const isSettled = study in drafts || earlier.some((one) => one.study_id === study);
      form.closest(".item").classList.toggle("settled", isSettled);
    }
  };

  const keep = () => {
    try { localStorage.setItem(key, JSON.stringify({ drafts, person: person.value })); } catch { /* private window */ }
    show();
  };

  for (const form of forms) {
    const study = form.dataset.study;
    const draft = drafts[study];
    if (draft) for (const name of ["pet", "mri", "reason", "note"]) form.elements[name].value = draft[name];
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", () => {
      const draft = { study_id: study, decided_by: person.value.trim(), decided_at: now() };
      for (const name of ["pet", "mri", "reason", "note"]) draft[name] = form.elements[name].value.trim();
      if (draft.pet || draft.mri || draft.reason || draft.note) drafts[study] = draft; else delete drafts[study];
      keep();
    });
  }
  person.addEventListener("change", keep);

  // A text that a spreadsheet would run gets an apostrophe, which the reader takes off again.
  const cell = (text) => {
    const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
  };

  document.getElementById("save").addEventListener("click", () => {
    const name = person.value.trim();
    if (!name) { state.textContent = "Who decides? Enter it first."; person.focus(); return; }
    const fresh = Object.values(drafts).map((draft) => ({ ...draft, decided_by: draft.decided_by || name }));
    const lines = [columns, ...[...earlier, ...fresh].map((row) => columns.map((column) => row[column] ?? ""))];
    const text = lines.map((row) => row.map(cell).join(",")).join("\n") + "\n";
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = "decisions.csv";
    link.click();
    URL.revokeObjectURL(link.href);
    show();
  });
  show();
})();
