// Choices of a list: each is kept on the server as soon as it is made, counted in the bar, and asked about in a dialog.
// Without this script the page's form does the same: going on, saving and discarding are its buttons.
(function () {
  "use strict";

  var pending = Promise.resolve();
  var waiting = 0;
  var lost = false;
  var opener = null;

  function choices() { return document.getElementById("choices"); }
  function bar() { return document.querySelector("#savebar .unsaved-count"); }

  // Without script the filters are sent with the rows, Enter applies them, and records open beside the list. With it they
  // are a form of their own again, Enter in a row saves, and a link is a link.
  function begin() {
    document.querySelectorAll("#records > button[name=filter]").forEach(function (button) { button.remove(); });
    document.querySelectorAll("#records .filters button[name=filter]").forEach(function (button) { button.removeAttribute("name"); });
    document.querySelectorAll("#records .filters [form=choices]:not([name=go])").forEach(function (field) { field.removeAttribute("form"); });
    document.querySelectorAll("#records a[target=record]").forEach(function (link) { link.removeAttribute("target"); });
  }
  begin();
  document.addEventListener("htmx:load", begin);
  document.addEventListener("htmx:historyRestore", begin);

  function uuid() {
    var bytes = window.crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    var hex = Array.from(bytes, function (byte) { return byte.toString(16).padStart(2, "0"); }).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  function count() {
    var told = bar();
    if (!told) { return; }
    var number = Number(told.dataset.elsewhere) + choices().querySelectorAll("tr.unsaved").length;
    var text = number === 0 ? told.dataset.none : number === 1 ? told.dataset.one : told.dataset.many.replace("%d", String(number));
    told.textContent = lost ? text + ". " + told.dataset.lost : text;
    told.classList.toggle("none", number === 0);
    window.announce(told.textContent);
  }

  // The letter the row showed when its page was made: of the unsaved choice if there is one, else of the saved one.
  function shown(row) { return row.querySelector('input[type="hidden"][name^="was."]'); }

  function saved(row) {
    if (row.dataset.saved === undefined) {
      var first = row.querySelector("input[type=radio][data-saved]");
      row.dataset.saved = first ? first.value : "";
    }
    return row.dataset.saved;
  }

  function keep(radio, row) {
    var form = choices();
    var was = shown(row);
    var sent = new URLSearchParams();
    ["csrfmiddlewaretoken", "gstin", "back"].forEach(function (name) { sent.set(name, form.elements[name].value); });
    sent.set("request_id", uuid());
    sent.set("do", "stage");
    sent.set(radio.name, radio.value);
    if (was) { sent.set(was.name, was.value); }
    waiting += 1;
    pending = pending.then(function () {
      return fetch(form.action, { method: "POST", body: sent, credentials: "same-origin", redirect: "manual", keepalive: true });
    }).then(function (answer) {
      if (answer.status !== 204) { throw new Error(String(answer.status)); }
      lost = false;
      remember(row, radio);
    }).catch(function () { lost = true; }).then(function () { waiting -= 1; count(); });
  }

  function remember(row, radio) {
    var was = shown(row);
    if (radio.value === saved(row)) {
      if (was) { was.remove(); }
      return;
    }
    if (!was) {
      was = document.createElement("input");
      was.type = "hidden";
      was.name = "was." + radio.name.split(".")[1];
      radio.closest("td").append(was);
    }
    was.value = radio.value;
  }

  document.addEventListener("change", function (event) {
    var radio = event.target;
    var row = radio.closest ? radio.closest("tr") : null;
    if (radio.type !== "radio" || !row || !radio.closest("#choices")) { return; }
    row.classList.toggle("unsaved", radio.value !== saved(row));
    keep(radio, row);
    count();
  });

  // Whatever leaves the list waits until the last choice is kept; where that failed, the form itself takes them along.
  document.addEventListener("htmx:confirm", function (event) {
    if (!choices() || !event.target.closest("#records")) { return; }
    var pressed = event.detail.triggeringEvent && event.detail.triggeringEvent.submitter;
    if (pressed && pressed.hasAttribute("formaction")) {
      // A button that leads to another page: an ordinary form, once the last choice is kept.
      event.preventDefault();
      pending.then(function () { choices().action = pressed.formAction; HTMLFormElement.prototype.submit.call(choices()); });
    } else if (waiting) {
      event.preventDefault();
      pending.then(function () { event.detail.issueRequest(true); });
    } else if (lost && event.detail.verb === "get") {
      event.preventDefault();
      takeAlong(event.detail.path);
    }
  });

  document.addEventListener("click", function (event) {
    var link = event.target.closest ? event.target.closest("#records a[href]") : null;
    if (!link || !waiting || link.hasAttribute("hx-get") || event.ctrlKey || event.metaKey || event.shiftKey) { return; }
    event.preventDefault();
    pending.then(function () { window.location.href = link.href; });
  });

  // The same for a button that goes on without htmx: with script its address alone is needed.
  document.addEventListener("click", function (event) {
    var go = event.target.closest ? event.target.closest("#records button[name=go]:not([hx-get])") : null;
    if (!go || lost) { return; }
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) { window.open(go.value, "_blank"); return; }
    pending.then(function () { if (lost) { takeAlong(go.value); } else { window.location.href = go.value; } });
  });

  document.addEventListener("submit", function (event) {
    if (event.target.matches("#records form[method=get]:not([hx-get])") && waiting) {
      event.preventDefault();
      pending.then(function () { event.target.submit(); });
    }
  });

  function takeAlong(path) {
    var go = document.createElement("button");
    go.type = "submit";
    go.name = "go";
    go.value = path;
    go.hidden = true;
    choices().removeAttribute("hx-post");
    choices().append(go);
    choices().requestSubmit(go);
  }

  window.addEventListener("beforeunload", function (event) { if (lost) { event.preventDefault(); } });

  // The dialog: it opens over the list when saving asks something, and closing it changes nothing.
  function dialog() { return document.getElementById("dialog"); }

  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.target.id === "choices") { opener = document.activeElement; }
  });

  document.addEventListener("htmx:afterSwap", function (event) {
    var box = dialog();
    if (!box) { return; }
    if (event.target.id === "dialog-part" && !box.open) { open(box); }
    if (event.target.id === "records" && box.open) { done(box); }
  });

  function open(box) {
    box.dataset.opener = opener && opener.id ? opener.id : "save";
    box.showModal();
    var title = box.querySelector("h2");
    if (title) { title.focus(); window.announce(title.textContent.trim()); }
  }

  function done(box) {
    box.dataset.done = "1";
    box.close();
  }

  document.addEventListener("click", function (event) {
    var cancel = event.target.closest ? event.target.closest("dialog [data-close]") : null;
    if (cancel && dialog()) { event.preventDefault(); dialog().close(); }
  });

  function focusOn(id) {
    var found = document.getElementById(id);
    if (found) { found.focus(); }
  }

  document.addEventListener("close", function (event) {
    var box = event.target;
    if (box !== dialog()) { return; }
    var isDone = box.dataset.done === "1";
    var form = box.querySelector("form[data-back]");
    var back = form ? form.dataset.back : "";
    delete box.dataset.done;
    document.getElementById("dialog-part").replaceChildren();
    if (isDone) { focusOn("result"); return; }
    focusOn(box.dataset.opener);
    // What asked nothing is saved already, so the list behind is shown anew; the opener is a new element then.
    if (back) { window.htmx.ajax("GET", back, { target: "#records", swap: "outerHTML" }).then(function () { focusOn(box.dataset.opener); }); }
  }, true);

  // Part of an ITC reduction, while it is typed: each head within its cap, both halves equal, and the sum of it all.
  function paise(text) {
    var plain = text.replace(/[,₹\s]/g, "");
    if (!plain) { return 0; }
    return /^[0-9]+(\.[0-9]{0,2})?$/.test(plain) ? Math.round(Number(plain) * 100) : NaN;
  }

  function tell(input, text) {
    var place = document.getElementById(input.id + "-error");
    if (place) { place.textContent = text; }
    if (text) { input.setAttribute("aria-invalid", "true"); } else { input.removeAttribute("aria-invalid"); }
  }

  function checkLine(answers, form) {
    var part = answers.querySelector('input[type=radio][value="P"]');
    var heads = {};
    answers.querySelectorAll("input[data-cap]").forEach(function (input) {
      var typed = paise(input.value);
      heads[input.dataset.head] = typed;
      var text = "";
      if (part.checked && Number.isNaN(typed)) { text = form.dataset.errorRupees; }
      if (part.checked && typed > Number(input.dataset.cap)) { text = form.dataset.errorCap.replace("{cap}", input.dataset.capText); }
      tell(input, text);
    });
    var state = answers.querySelector('input[data-head="sgst"]');
    if (state && part.checked && heads.cgst !== heads.sgst && state !== document.activeElement && state.value) { tell(state, form.dataset.errorEqual); }
  }

  function inRupees(amount) { return "₹" + (amount / 100).toLocaleString("en-IN", { minimumFractionDigits: 2, maximumFractionDigits: 2 }); }

  function sumUp(form) {
    var told = form.querySelector("[data-reduces]");
    if (!told) { return; }
    var tax = 0;
    var number = 0;
    form.querySelectorAll("fieldset.answers").forEach(function (answers) {
      var chosen = answers.querySelector("input[type=radio]:checked");
      var amount = 0;
      if (chosen && chosen.value === "F") { amount = Number(answers.dataset.full); }
      if (chosen && chosen.value === "P") { answers.querySelectorAll("input[data-cap]").forEach(function (input) { amount += paise(input.value) || 0; }); }
      tax += amount;
      number += amount ? 1 : 0;
    });
    told.textContent = told.dataset.reduces.replace("{tax}", inRupees(tax)).replace("{number}", String(number));
  }

  function typed(event) {
    var form = event.target.closest ? event.target.closest("#answers") : null;
    var answers = event.target.closest ? event.target.closest("fieldset.answers") : null;
    if (!form || !answers) { return; }
    if (event.type === "input" && event.target.dataset.cap && event.target.value) {
      answers.querySelector('input[type=radio][value="P"]').checked = true;
    }
    checkLine(answers, form);
    sumUp(form);
  }
  document.addEventListener("input", typed);
  document.addEventListener("focusout", typed);
})();
