// The terminal takes the keys as soon as it is there, and again whenever its tab does: nobody should have to click first.
"use strict";

const takeKeys = () => document.querySelector("#terminal textarea")?.focus();

window.addEventListener("load", takeKeys);
window.addEventListener("focus", takeKeys);
new MutationObserver(takeKeys).observe(document.documentElement, { attributeFilter: ["class"], subtree: true });
