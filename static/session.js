// Warns two minutes before the session ends, and lets its person stay. Without it the time stands in the page as text.
(function () {
  "use strict";
  var dialog = document.getElementById("session");
  if (!dialog || !dialog.showModal) { return; }
  var before = Number(dialog.dataset.before);
  var opener = null;
  var timer = null;

  function lookIn(seconds) { window.clearTimeout(timer); timer = window.setTimeout(look, seconds * 1000); }

  function ask(method) {
    var token = document.querySelector("#sign-out input[name=csrfmiddlewaretoken]").value;
    var headers = method === "POST" ? { "X-CSRFToken": token } : { "X-Poll": "1" };
    return fetch(dialog.dataset.url, { method: method, headers: headers, credentials: "same-origin", redirect: "manual" })
      .then(function (answer) { return answer.ok ? answer.json() : { seconds: 0 }; });
  }

  function waitFor(seconds) { lookIn(Math.max(seconds - before, 1)); }

  // Another window of the same person may have gone on meanwhile: only the portal knows.
  function look() {
    ask("GET").then(function (told) {
      if (told.seconds > before) { waitFor(told.seconds); return; }
      if (told.seconds <= 0) { window.location.reload(); return; }
      opener = document.activeElement;
      if (!dialog.open) { dialog.showModal(); }
      lookIn(told.seconds + 61);
    }).catch(function () { lookIn(30); });
  }

  function stay() {
    ask("POST").then(function (told) { if (told.seconds <= 0) { window.location.reload(); return; } waitFor(told.seconds); });
  }

  dialog.querySelector("[data-stay]").addEventListener("click", function () { dialog.close(); });
  dialog.addEventListener("close", function () { stay(); if (opener && opener.focus) { opener.focus(); } });
  waitFor(Number(dialog.dataset.idle));
})();
