// What plain HTML cannot do: move focus to errors, tell what happened, tick a page. Everything works without it.
(function () {
  "use strict";

  function announce(text) {
    var live = document.getElementById("live");
    if (live && live.textContent !== text) { live.textContent = text; }
  }
  window.announce = announce;

  function focusErrors() {
    var open = document.querySelector("dialog[open]");
    var first = (open || document).querySelector("[data-focus]");
    if (first) { first.focus(); announce(first.textContent.trim().replace(/\s+/g, " ").slice(0, 300)); }
  }

  document.addEventListener("change", function (event) {
    if (event.target.matches("[data-tick-all]")) {
      document.querySelectorAll('input[name="tick"]').forEach(function (box) { box.checked = event.target.checked; });
    }
  });

  document.addEventListener("DOMContentLoaded", focusErrors);
  document.addEventListener("htmx:afterSettle", focusErrors);

  var told = "";
  document.addEventListener("htmx:afterSwap", function (event) {
    var caption = document.querySelector("#records caption");
    var result = document.querySelector("#records #result");
    if (event.target.id === "records" && (result || caption)) { announce((result || caption).textContent.trim().replace(/\s+/g, " ")); }
    var tens = document.querySelector("#batch [data-announce]");
    if (tens && tens.dataset.announce !== told) { told = tens.dataset.announce; announce(told); }
    if (event.target.id === "job") { announce(event.target.textContent.trim().replace(/\s+/g, " ")); }
  });
})();
