// What plain HTML cannot do: move focus to errors, count unsaved choices, tick a page. Everything works without it.
(function () {
  "use strict";

  function announce(text) {
    var live = document.getElementById("live");
    if (live) { live.textContent = text; }
  }

  function focusErrors() {
    var first = document.querySelector("[data-focus]");
    if (first) { first.focus(); }
  }

  function countUnsaved(form) {
    var rows = form.querySelectorAll("tr.unsaved").length;
    var told = form.querySelector("[data-unsaved]");
    if (told) {
      var text = told.dataset.unsaved.replace("%d", String(rows));
      told.textContent = rows ? text : "";
      announce(told.textContent);
    }
  }

  document.addEventListener("change", function (event) {
    var input = event.target;
    if (input.matches("[data-tick-all]")) {
      document.querySelectorAll('input[name="tick"]').forEach(function (box) { box.checked = input.checked; });
      return;
    }
    var row = input.closest("tr");
    if (input.type === "radio" && row && input.closest("form[data-choices]")) {
      row.classList.toggle("unsaved", !input.defaultChecked);
      countUnsaved(input.closest("form"));
    }
  });

  document.addEventListener("reset", function (event) {
    event.target.querySelectorAll("tr.unsaved").forEach(function (row) { row.classList.remove("unsaved"); });
    countUnsaved(event.target);
  });

  document.addEventListener("DOMContentLoaded", focusErrors);
  document.addEventListener("htmx:afterSettle", focusErrors);
  function unsaved() { return document.querySelectorAll("form[data-choices] tr.unsaved").length > 0; }

  var leaving = false;
  document.addEventListener("submit", function (event) {
    // A preview of many records leaves the page without saving its own choices.
    var elsewhere = event.submitter && event.submitter.hasAttribute("formaction");
    if (elsewhere && unsaved() && !window.confirm(event.target.dataset.choices)) { event.preventDefault(); return; }
    leaving = true;
  });
  window.addEventListener("beforeunload", function (event) { if (unsaved() && !leaving) { event.preventDefault(); } });
  // A swap of the list throws unsaved choices away as surely as leaving the page does.
  document.addEventListener("htmx:confirm", function (event) {
    var form = document.querySelector("form[data-choices]");
    if (unsaved() && form && event.target.closest("#records")) {
      event.preventDefault();
      if (window.confirm(form.dataset.choices)) { event.detail.issueRequest(true); }
    }
  });

  var told = "";
  document.addEventListener("htmx:afterSwap", function (event) {
    var caption = document.querySelector("#records caption");
    if (event.target.id === "records" && caption) { announce(caption.textContent.trim()); }
    var tens = document.querySelector("#batch [data-announce]");
    if (tens && tens.dataset.announce !== told) { told = tens.dataset.announce; announce(told); }
    if (event.target.id === "job") { announce(event.target.textContent.trim().replace(/\s+/g, " ")); }
  });
})();
