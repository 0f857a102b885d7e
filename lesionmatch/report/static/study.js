"use strict";
// Choosing a lesion: on the projection, in the table or by address, everywhere at once.
(() => {
  const choose = (id) => {
    for (const element of document.querySelectorAll(".chosen")) element.classList.remove("chosen");
    for (const element of document.querySelectorAll(`[data-lesion="${CSS.escape(id)}"]`)) {
      element.classList.add("chosen");
    }
    document.dispatchEvent(new CustomEvent("lesion", { detail: id }));
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-choose]");
    if (link) choose(link.dataset.choose);
  });
  const fromAddress = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target?.dataset.lesion) choose(target.dataset.lesion);
  };
  window.addEventListener("hashchange", fromAddress);
  fromAddress();

  const toggle = document.getElementById("all-columns");
  toggle?.addEventListener("change", () =>
    document.getElementById("lesion-table").classList.toggle("all", toggle.checked));
  window.addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
