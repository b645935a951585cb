// thrown|memory *: 
export default function () {
  let p = {};
  for (let i = 0; i < 300000; i++) p = new Proxy(p, {});
  return p.x;
}
