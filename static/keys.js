// Single keys of a list of records, alive only while the focus is inside its table; people switch them off on their own page.
// Arrow keys stay those of the radio groups. Without this script Tab and Enter do everything.
(function () {
  "use strict";

  var changed = [];

  function table() { return document.querySelector("#records table.records"); }
  function rows() { return Array.from(table().querySelectorAll("tbody > tr[id]")); }

  function current(target) {
    var row = target.closest("tbody > tr[id]");
    return row || table().querySelector("tr.here");
  }

  function goTo(row) {
    if (!row) { return; }
    table().querySelectorAll("tr.here").forEach(function (one) { one.classList.remove("here"); });
    row.classList.add("here");
    var first = row.querySelector("input[type=radio]:checked, input[type=radio]:not(:disabled)") || row.querySelector("a[href*='/records/']");
    if (first) { first.focus(); }
    row.scrollIntoView({ block: "nearest" });
  }

  function step(target, by) {
    var all = rows();
    var here = current(target);
    goTo(here ? all[all.indexOf(here) + by] : all[0]);
  }

  function choose(row, letter) {
    var radio = row && row.querySelector('input[type=radio][value="' + letter + '"]');
    if (!radio) { return; }
    if (radio.disabled) { var why = row.querySelector(".reason, .field-error"); window.announce(why ? why.textContent : ""); return; }
    radio.focus();
    if (!radio.checked) { radio.click(); }
  }

  function takeBack() {
    while (changed.length) {
      var row = document.getElementById(changed.pop());
      var saved = row && row.querySelector("input[type=radio][data-saved]");
      // A row chosen back by hand, or gone with its page, is no unsaved choice any more: the one before it is.
      if (saved && !saved.checked) { saved.focus(); saved.click(); changed.pop(); return; }
    }
  }

  function link(row) { return row && row.querySelector("a[href*='/records/']"); }

  function why(row) {
    var found = link(row);
    if (found) { window.htmx.ajax("GET", found.href, { target: "#beside", swap: "innerHTML", source: found }); }
  }

  // Not the request's promise: it is kept at once where the request waits for the last choice to be kept.
  document.addEventListener("htmx:afterSettle", function (event) {
    if (event.target.id === "beside") { focusOn("record-panel"); }
  });

  function focusOn(id) { var found = document.getElementById(id); if (found) { found.focus(); } }

  function help(target) {
    var list = document.getElementById("keys");
    list.showModal();
    list.addEventListener("close", function () { target.focus(); }, { once: true });
  }

  var DO = {
    j: function (target) { step(target, 1); },
    k: function (target) { step(target, -1); },
    x: function (target) { var row = current(target); var box = row && row.querySelector("input[name=tick]"); if (box) { box.click(); } },
    w: function (target) { why(current(target)); },
    "?": help,
    z: takeBack
  };
  ["a", "r", "p", "n"].forEach(function (letter) {
    DO[letter] = function (target) { choose(current(target), letter.toUpperCase()); };
  });

  document.addEventListener("keydown", function (event) {
    var target = event.target;
    if (event.ctrlKey || event.altKey || event.metaKey || !table() || !table().parentNode.contains(target)) { return; }
    if (target.matches("input:not([type=radio]):not([type=checkbox]), textarea, select")) { return; }
    if (event.key === "Enter" && target.type === "radio") {
      var found = link(current(target));
      if (found) { event.preventDefault(); found.click(); }
      return;
    }
    if (event.shiftKey && event.key === "S") {
      var save = document.getElementById("save");
      if (save) { event.preventDefault(); save.focus(); save.click(); }
      return;
    }
    var act = DO[event.key];
    if (act && !(event.shiftKey && event.key !== "?")) { event.preventDefault(); act(target); }
  });

  document.addEventListener("change", function (event) {
    var row = event.target.type === "radio" && event.target.closest("#records tr[id]");
    if (row) { changed.push(row.id); }
  });
})();
