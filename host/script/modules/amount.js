// Exact arithmetic on amounts: decimal text with at most six places, as
// everywhere in Omega. Results are rounded down.
const places = 6;
const unit = 10n ** BigInt(places);

// parts reads a decimal number as an integer and the places it has.
function parts(value) {
  const text = typeof value === "number" ? decimal(value) : String(value);
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match || text.length > 60) throw new TypeError("not an amount: " + JSON.stringify(text.slice(0, 60)));
  const fraction = match[3] ?? "";
  const n = BigInt(match[2] + fraction);
  return { n: match[1] ? -n : n, places: fraction.length };
}

// decimal writes a number without an exponent.
function decimal(x) {
  if (!Number.isFinite(x)) throw new TypeError("not an amount: " + x);
  const text = String(x);
  if (!text.includes("e")) return text;
  return Math.abs(x) < 1 ? x.toFixed(20) : BigInt(x).toString();
}

function floorDivide(a, b) {
  const q = a / b;
  return a < 0n && q * b !== a ? q - 1n : q;
}

// micros is an amount in millionths.
function micros(value) {
  const { n, places: p } = parts(value);
  return p <= places ? n * 10n ** BigInt(places - p) : floorDivide(n, 10n ** BigInt(p - places));
}

function amount(n) {
  const digits = (n < 0n ? -n : n).toString().padStart(places + 1, "0");
  const whole = digits.slice(0, -places), fraction = digits.slice(-places).replace(/0+$/, "");
  return (n < 0n ? "-" : "") + whole + (fraction && "." + fraction);
}

export const add = (...amounts) => amount(amounts.reduce((sum, a) => sum + micros(a), 0n));
export const sub = (a, b) => amount(micros(a) - micros(b));
export function mul(a, ratio) {
  const { n, places: p } = parts(ratio);
  return amount(floorDivide(micros(a) * n, 10n ** BigInt(p)));
}
export function compare(a, b) {
  const difference = micros(a) - micros(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}
export const less = (a, b) => compare(a, b) < 0;
export const more = (a, b) => compare(a, b) > 0;

function extreme(amounts, sign) {
  if (amounts.length === 0) throw new TypeError("of no amounts there is none");
  let best = micros(amounts[0]);
  for (const a of amounts) if ((micros(a) - best) * sign > 0n) best = micros(a);
  return amount(best);
}
export const min = (...amounts) => extreme(amounts, -1n);
export const max = (...amounts) => extreme(amounts, 1n);
