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

  // A button that copies a field stands there only where the browser lets a page copy.
  function offerCopies() {
    if (!navigator.clipboard) { return; }
    document.querySelectorAll("[data-copy]").forEach(function (button) {
      button.hidden = false;
      button.addEventListener("click", function () {
        var field = document.getElementById(button.dataset.copy);
        field.select();
        navigator.clipboard.writeText(field.value).then(function () {
          button.textContent = button.dataset.copied;
          announce(button.dataset.copied);
        }, function () { field.focus(); });
      });
    });
  }

  document.addEventListener("DOMContentLoaded", begin);
  document.addEventListener("DOMContentLoaded", offerCopies);
  document.addEventListener("htmx:afterSettle", function (event) { focusErrors(event.target); });

  function told(part, what) {
    return what.map(function (one) { return text(part.querySelector(one)); }).join(" ").trim();
  }

  // A list says what became of a save, else what it shows; a job each tenth of it, and in short what came of it.
  document.addEventListener("htmx:afterSwap", function (event) {
    var part = event.target;
    if (part.id === "records") {
      announce(told(part, [".messages", "#result, caption"]));
    }
    if (part.id === "job" || part.id === "batch") {
      var tens = part.querySelector("[data-announce]");
      announce(tens ? tens.dataset.announce : told(part, ["h2", "p"]));
    }
  });
})();
