// Exact arithmetic on amounts: decimal text with at most six places, as
// everywhere in Omega. Results are rounded down.
const places = 6;
const unit = 10n ** BigInt(places);
const decimals = /^-?\d+(?:\.\d+)?$/;
const ten = (power) => 10n ** BigInt(power);

// What has been read before: a script asks for the same prices and shares again
// and again.
const known = new Map();

// parts reads a decimal number: as an integer and the power of ten it is to be
// divided by, and in millionths.
function parts(value) {
  const text = typeof value === "number" ? decimal(value) : String(value);
  let read = known.get(text);
  if (read !== undefined) return read;
  if (text.length > 60 || !decimals.test(text)) throw new TypeError("not an amount: " + JSON.stringify(text.slice(0, 60)));
  const point = text.indexOf(".");
  const p = point < 0 ? 0 : text.length - point - 1;
  const digits = p === 0 ? text : text.slice(0, point) + text.slice(point + 1);
  const n = BigInt(digits.length > 18 ? digits.replace(/^(-?)0+(\d)/, "$1$2") : digits); // long ones that begin with 0 are taken for octal
  read = { n, power: ten(p), micros: p <= places ? n * ten(places - p) : floorDivide(n, ten(p - places)) };
  if (known.size === 1000) known.clear();
  known.set(text, read);
  return read;
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
const micros = (value) => parts(value).micros;

function amount(n) {
  if (n < 0n) return "-" + amount(-n);
  const whole = String(n / unit), rest = n % unit;
  return rest === 0n ? whole : whole + "." + String(unit + rest).slice(1).replace(/0+$/, "");
}

export function add(...amounts) {
  let sum = 0n;
  for (const a of amounts) sum += micros(a);
  return amount(sum);
}
export const sub = (a, b) => amount(micros(a) - micros(b));
export function mul(a, ratio) {
  const { n, power } = parts(ratio);
  return amount(floorDivide(micros(a) * n, power));
}
export function compare(a, b) {
  const x = micros(a), y = micros(b);
  return x < y ? -1 : x > y ? 1 : 0;
}
export const less = (a, b) => micros(a) < micros(b);
export const more = (a, b) => micros(a) > micros(b);

function extreme(amounts, sign) {
  if (amounts.length === 0) throw new TypeError("of no amounts there is none");
  let best = micros(amounts[0]);
  for (const a of amounts) if ((micros(a) - best) * sign > 0n) best = micros(a);
  return amount(best);
}
export const min = (...amounts) => extreme(amounts, -1n);
export const max = (...amounts) => extreme(amounts, 1n);
