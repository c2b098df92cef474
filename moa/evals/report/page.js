"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const MOST_ROWS = 200;
const MOST_WORDS = 1500;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") element.className = value;
    else element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.tabIndex = 0;
    const sort = () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => {
        const cell = row.cells[column];
        const text = cell.dataset.key ?? cell.textContent;
        const number = Number.parseFloat(text.replace("−", "-").replaceAll(",", ""));
        return Number.isNaN(number) ? text : number;
      };
      const rows = [...table.tBodies[0].rows].sort((a, b) => {
        const [one, two] = [key(a), key(b)];
        if (typeof one !== typeof two) return typeof one === "number" ? -1 : 1;
        const order = one < two ? -1 : one > two ? 1 : 0;
        return down ? -order : order;
      });
      table.tBodies[0].append(...rows);
    };
    head.addEventListener("click", sort);
    head.addEventListener("keydown", (event) => { if (event.key === "Enter") sort(); });
  });
}

function score(sample, system) {
  const known = (sample.answers[system] ?? []).map((answer) => (answer.error !== null ? 0 : answer.score));
  const counted = known.filter((value) => value !== null);
  return counted.length ? counted.reduce((sum, value) => sum + value, 0) / counted.length : null;
}

function mark(sample, system) {
  const answers = sample.answers[system] ?? [];
  if (!answers.length) return make("span", { title: "not asked" }, "·");
  if (answers.some((answer) => answer.error !== null)) return make("span", { class: "er", title: "no answer" }, "!");
  const value = score(sample, system);
  if (value === null) return make("span", { class: "er", title: "not scored" }, "?");
  if (value === 1) return make("span", { class: "ok" }, "✓");
  return make("span", { class: value === 0 ? "no" : "er" }, value === 0 ? "✗" : value.toFixed(2));
}

function shown(sample) {
  const wanted = byId("search").value.trim().toLowerCase();
  if (wanted) {
    const texts = Object.values(sample.answers).flat().map((answer) => answer.text);
    const all = [sample.id, sample.question, sample.target ?? "", ...texts].join("\n").toLowerCase();
    if (!all.includes(wanted)) return false;
  }
  const filter = byId("filter").value;
  const scores = data.systems.map((system) => score(sample, system)).filter((value) => value !== null);
  const [one, two] = [byId("one").value, byId("two").value].map((system) => (score(sample, system) ?? 0) >= 0.5);
  switch (filter) {
    case "": return true;
    case "differ": return new Set(scores).size > 1;
    case "wrong": return scores.every((value) => value < 0.5);
    case "first": return one && !two;
    case "second": return two && !one;
    default: return Object.values(sample.causes).includes(filter);
  }
}

function words(text) { return text.match(/\s+|[^\s]+/g) ?? []; }

/* The longest common subsequence of words; what is left over was taken out or put in. */
function difference(before, after) {
  const [a, b] = [words(before), words(after)];
  if (a.length > MOST_WORDS || b.length > MOST_WORDS) return make("pre", {}, "The texts are too long to be compared here.");
  const length = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      length[i][j] = a[i] === b[j] ? length[i + 1][j + 1] + 1 : Math.max(length[i + 1][j], length[i][j + 1]);
  const pre = make("pre");
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { pre.append(a[i]); i++; j++; }
    else if (j < b.length && (i === a.length || length[i][j + 1] >= length[i + 1][j])) pre.append(make("ins", {}, b[j++]));
    else pre.append(make("del", {}, a[i++]));
  }
  return pre;
}

function answerCard(system, answer, number, many) {
  const facts = [
    answer.score === null ? null : `score ${answer.score}`,
    answer.found ? `took “${answer.found}”` : null,
    `${answer.seconds} s`,
    answer.cost === null ? "unknown cost" : answer.cost ? `${answer.cost} USD` : null,
    answer.panel.length ? `asked ${answer.panel.join(", ")}` : null,
    answer.ran || null,
    answer.why || null,
  ].filter(Boolean).join(" · ");
  const card = make("div", { class: "card" }, make("h4", {}, many ? `${system}, epoch ${number + 1}` : system));
  card.append(make("small", {}, facts), make("pre", {}, answer.error !== null ? `No answer: ${answer.error}` : answer.text));
  for (const draft of answer.drafts) {
    const told = draft.status === "ok" ? (draft.score === null || draft.score === undefined ? "" : `, score ${draft.score}`) : `, ${draft.status}`;
    card.append(make("details", {}, make("summary", {}, `draft of ${draft.agent}${told}`), make("pre", {}, draft.text)));
  }
  return card;
}

function detail(sample) {
  const cards = make("div", { class: "grid2" });
  for (const system of data.systems) {
    const answers = sample.answers[system] ?? [];
    answers.forEach((answer, number) => cards.append(answerCard(system, answer, number, answers.length > 1)));
  }
  const [one, two] = [byId("one").value, byId("two").value];
  const [first, second] = [sample.answers[one]?.[0], sample.answers[two]?.[0]];
  const cell = make("td", { colspan: String(data.systems.length + 2) });
  cell.append(make("pre", {}, sample.question));
  if (sample.target !== null) cell.append(make("p", {}, "Expected: ", make("b", {}, sample.target)));
  for (const [system, cause] of Object.entries(sample.causes))
    if (cause !== "right") cell.append(make("p", {}, `${system}: ${cause === "error" ? "no answer" : `lost by ${cause}`}`));
  cell.append(cards);
  if (first && second && one !== two)
    cell.append(make("h4", {}, `From ${one} to ${two}`), difference(first.text, second.text));
  return make("tr", { class: "open" }, cell);
}

function draw() {
  const found = data.samples.filter(shown);
  byId("count").textContent = `${found.length} of ${data.samples.length}` + (found.length > MOST_ROWS ? `, the first ${MOST_ROWS} shown` : "");
  const head = make("tr", {}, ...["id", "question", ...data.systems].map((name) => make("th", { scope: "col" }, name)));
  const body = make("tbody");
  for (const sample of found.slice(0, MOST_ROWS)) {
    const name = data.suites.length > 1 ? `${sample.suite} ${sample.id}` : sample.id;
    const text = sample.question.length > 200 ? `${sample.question.slice(0, 200)}…` : sample.question;
    const marks = data.systems.map((system) => make("td", {}, mark(sample, system)));
    const row = make("tr", { class: "row", tabindex: "0" }, make("td", {}, name), make("td", { class: "q" }, text), ...marks);
    const toggle = () => {
      if (row.nextSibling?.classList?.contains("open")) row.nextSibling.remove();
      else row.after(detail(sample));
    };
    row.addEventListener("click", toggle);
    row.addEventListener("keydown", (event) => { if (event.key === "Enter") toggle(); });
    body.append(row);
  }
  byId("samples").replaceChildren(make("table", {}, make("thead", {}, head), body));
}

document.querySelectorAll("table.sortable").forEach(sortable);
for (const id of ["search", "filter", "one", "two"]) byId(id).addEventListener("input", draw);
draw();
