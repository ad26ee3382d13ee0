// What plain HTML cannot do: move focus to errors, tell what happened, tick a page. Everything works without it.
(function () {
  "use strict";

  function announce(text) {
    var live = document.getElementById("live");
    if (live && live.textContent !== text) { live.textContent = text; }
  }
  window.announce = announce;

  function text(part) { return part ? part.textContent.trim().replace(/\s+/g, " ").slice(0, 300) : ""; }

  // Only what has just come may take the focus: a summary that was there before leaves it where somebody is typing.
  function focusErrors(within) {
    var first = within.matches && within.matches("[data-focus]") ? within : within.querySelector("[data-focus]");
    if (first) { first.focus(); announce(text(first)); }
    return first;
  }

  // The page's one live region has to stand before its text does, or nobody reads it out.
  function begin() {
    var told = document.querySelector("main .messages, main #result");
    if (!focusErrors(document.querySelector("dialog[open]") || document) && told) {
      window.setTimeout(function () { announce(text(told)); }, 100);
    }
  }

  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-tick-all]")) {
      document.querySelectorAll('input[name="tick"]').forEach(function (box) { box.checked = event.target.checked; });
    }
  });

  document.addEventListener("DOMContentLoaded", begin);
  document.addEventListener("htmx:afterSettle", function (event) { focusErrors(event.target); });

  // A list says what became of a save, else what it shows; a job each tenth of it, and what came of it.
  document.addEventListener("htmx:afterSwap", function (event) {
    var part = event.target;
    if (part.id === "records") {
      announce([".messages", "#result, caption"].map(function (what) { return text(part.querySelector(what)); }).join(" ").trim());
    }
    if (part.id === "job" || part.id === "batch") {
      var tens = part.querySelector("[data-announce]");
      announce(tens ? tens.dataset.announce : text(part));
    }
  });
})();
