// Prepares a runtime, before any script: takes away what makes code from text,
// refuses what no honest script asks for before it is too late to say where, and
// freezes everything, so that no call can leave anything behind for the next.
(function (sized) {
  "use strict";
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
  const { freeze } = Object;
  const most = 1 << 24; // characters, elements, bytes

  const iterators = [[][Symbol.iterator](), ""[Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](), "".matchAll(/x/g)];
  const functions = [async function () {}, function* () {}, async () => {}, (function* () {})()];
  const roots = [globalThis, ...iterators, ...functions, (function () { return arguments; })()];

  // ——— code from text ———

  const refuse = () => { throw new TypeError("code is not made from text here; write it into a file"); };
  const replace = (object, key, value) => defineProperty(object, key, { value, writable: true, configurable: true, enumerable: false });
  replace(globalThis, "eval", refuse);
  const text = new Proxy(Function, { apply: refuse, construct: refuse });
  replace(globalThis, "Function", text);
  replace(Function.prototype, "constructor", text);
  for (const f of functions) {
    const prototype = getPrototypeOf(f);
    if (prototype !== Function.prototype && typeof f === "function") replace(prototype, "constructor", refuse);
  }

  // ——— sizes ———

  const size = (n, of, what) => {
    if (n > most) throw new RangeError(of + ": " + n + " " + what + " are more than " + most);
  };
  const stand = (object, name, native, guarded) => {
    defineProperty(guarded, "length", { value: native.length, configurable: true });
    defineProperty(guarded, "name", { value: native.name, configurable: true });
    replace(object, name, guarded);
  };
  const guard = (object, name, check) => {
    const native = object[name];
    if (typeof native !== "function") return;
    stand(object, name, native, { [name](...args) {
      check(this, args, name);
      return apply(native, this, args);
    } }[name]);
  };
  const lengthOf = (x) => (x === undefined || x === null ? 0 : Number(x.length));

  guard(String.prototype, "repeat", (self, [n], name) => size(lengthOf(self) * n, name, "characters"));
  for (const name of ["padStart", "padEnd"]) guard(String.prototype, name, (self, [n]) => size(n, name, "characters"));
  for (const name of ["join", "map", "fill", "concat", "sort", "toSorted", "toReversed", "toSpliced", "with", "reverse", "splice", "slice",
    "flat", "copyWithin", "unshift", "includes", "indexOf", "lastIndexOf", "toString", "toLocaleString"]) {
    const native = Array.prototype[name];
    if (native) stand(Array.prototype, name, native, sized(native, name, most));
  }
  guard(Array, "from", (self, [items]) => size(lengthOf(items), "from", "elements"));
  guard(text.prototype, "apply", (self, [, list]) => size(lengthOf(list), "apply", "arguments"));
  for (const name of ["apply", "construct"]) guard(Reflect, name, (self, args) => size(lengthOf(args[args.length - 1]), name, "arguments"));

  for (const name of ["ArrayBuffer", "Uint8Array", "Uint8ClampedArray", "Int8Array", "Uint16Array", "Int16Array", "Uint32Array", "Int32Array",
    "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"]) {
    const native = globalThis[name];
    if (!native) continue;
    const guarded = new Proxy(native, { construct(target, args, newTarget) {
      size(typeof args[0] === "object" ? lengthOf(args[0]) : Number(args[0]), name, "elements");
      return construct(target, args, newTarget);
    } });
    replace(globalThis, name, guarded);
    replace(native.prototype, "constructor", guarded);
  }
  guard(BigInt, "asUintN", (self, [bits]) => size(bits, "asUintN", "bits"));
  guard(BigInt, "asIntN", (self, [bits]) => size(bits, "asIntN", "bits"));
  guard(JSON, "parse", (self, [text]) => {
    let depth = 0, quoted = false;
    text = String(text);
    for (let i = 0; text.length > 1000 && i < text.length; i++) {
      const c = text[i];
      if (quoted) c === "\\" ? i++ : quoted = c !== '"';
      else if (c === '"') quoted = true;
      else if (c === "[" || c === "{") { if (++depth > 1000) throw new RangeError("JSON.parse: nested more than 1000 deep"); }
      else if (c === "]" || c === "}") depth--;
    }
  });

  // ——— powers ———

  // The bundler makes Math.pow of **, whose last bit is then the same everywhere.
  const { pow } = Math;
  replace(Math, "pow", { pow(a, b) { return typeof a === "bigint" || typeof b === "bigint" ? a ** b : pow(a, b); } }.pow);

  // ——— frozen ———

  // A frozen prototype would keep objects from having a member of their own of
  // the same name, as in error.name = "Refused": an assignment makes one instead.
  const own = (prototype, key) => {
    const { value, writable, configurable } = getOwnPropertyDescriptor(prototype, key);
    if (!writable || !configurable) return;
    defineProperty(prototype, key, {
      get() { return value; },
      set(v) {
        if (this === prototype) throw new TypeError("'" + String(key) + "' of a built-in prototype cannot be changed");
        defineProperty(this, key, { value: v, writable: true, enumerable: true, configurable: true });
      },
      enumerable: false, configurable: true,
    });
  };
  const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError];
  for (const prototype of [Object.prototype, ...errors.map((e) => e.prototype)]) for (const key of ownKeys(prototype)) own(prototype, key);
  for (const key of ["toString", "constructor"]) own(Function.prototype, key);

  const seen = new Set([null, undefined]);
  const reach = (value) => {
    if (typeof value !== "object" && typeof value !== "function" || seen.has(value)) return;
    seen.add(value);
    roots.push(freeze(value));
  };
  roots.splice(0).forEach(reach);
  while (roots.length > 0) {
    const object = roots.pop();
    reach(getPrototypeOf(object));
    const keys = ownKeys(object);
    for (let i = 0; i < keys.length; i++) {
      const property = getOwnPropertyDescriptor(object, keys[i]);
      if (property.get !== undefined || property.set !== undefined) reach(property.get), reach(property.set);
      else reach(property.value);
    }
  }
})
