// What the drawing board says, in the reader's language, and the small pieces it is written with.
const words = JSON.parse(document.getElementById("plan-words").textContent);

export const speak = (key, values = {}) => words[key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
export const brief = (name) => name.replace("包干区", "");
export const element = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);
export const households = (entrances) => entrances.reduce((sum, entrance) => sum + entrance.households, 0);
