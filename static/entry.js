// The page of one document: tells a mistyped GSTIN at once, proposes its State, and shows worked-out tax where none is typed.
// The server judges all of it again; without this file nothing is missing but speed.
(function () {
  "use strict";
  var ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", LENGTH = 15;
  var field = document.getElementById("id_recipient"), told = document.getElementById("recipient-check");

  function checkCharacter(text) {
    var sum = 0;
    for (var place = 0; place < LENGTH - 1; place += 1) {
      var product = ALPHABET.indexOf(text[place]) * (place % 2 ? 2 : 1);
      sum += Math.floor(product / 36) + product % 36;
    }
    return ALPHABET[(36 - sum % 36) % 36];
  }

  function complaint(text) {
    if (text.length !== LENGTH) { return field.dataset.length.replace("%d", String(text.length)); }
    return /^[0-9A-Z]+$/.test(text) && checkCharacter(text) === text[LENGTH - 1] ? "" : field.dataset.check;
  }

  function look() {
    var text = field.value.toUpperCase().replace(/\s/g, "");
    var wrong = text ? complaint(text) : "";
    told.textContent = wrong;
    field.setAttribute("aria-invalid", wrong ? "true" : "false");
    var pos = document.getElementById("id_pos");
    if (text && !wrong && pos && !pos.value && pos.querySelector('option[value="' + text.slice(0, 2) + '"]')) {
      pos.value = text.slice(0, 2);
    }
  }

  if (field && told) { field.addEventListener("blur", look); }

  function showTax() {
    document.querySelectorAll("#sums [data-for]").forEach(function (cell) {
      var input = document.getElementById(cell.dataset.for);
      if (input) { input.placeholder = cell.textContent; }
    });
  }

  showTax();
  document.addEventListener("htmx:afterSettle", function (event) {
    var last = document.querySelector("#sums tfoot"), live = document.getElementById("live");
    if (!event.target.closest("#entry")) { return; }
    showTax();
    if (live && last) { live.textContent = last.textContent.trim().replace(/\s+/g, " "); }
  });
})();
