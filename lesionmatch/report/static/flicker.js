"use strict";
// Two strips on one another: a slider blends them, a button lets them alternate.
(() => {
  const stack = document.getElementById("flicker");
  if (!stack) return;
  const [, upper] = stack.querySelectorAll("figure");
  const blend = document.getElementById("flicker-blend");
  const button = document.getElementById("flicker-button");
  document.getElementById("flicker-controls").hidden = false;
  stack.classList.add("stacked");

  const show = () => { upper.style.opacity = String(blend.value / 100); };
  let timer = null;
  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.setAttribute("aria-pressed", "false");
  };
  button.addEventListener("click", () => {
    if (timer) { stop(); return; }
    button.setAttribute("aria-pressed", "true");
    // Slower than three times a second, which could harm people with epilepsy.
    timer = setInterval(() => { blend.value = blend.value < 50 ? 100 : 0; show(); }, 600);
  });
  blend.addEventListener("input", () => { stop(); show(); });
  window.addEventListener("beforeprint", () => { stop(); stack.classList.remove("stacked"); upper.style.opacity = ""; });
  window.addEventListener("afterprint", () => { stack.classList.add("stacked"); show(); });
  show();
})();
