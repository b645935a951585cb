// answer: {"name":"Refused","toString":1}
export default function () {
  class Refused extends Error { constructor(m) { super(m); this.name = "Refused"; } }
  const o = {};
  o.toString = 1;
  return { name: new Refused("x").name, ...o };
}
