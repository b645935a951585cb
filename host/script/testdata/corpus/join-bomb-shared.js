// memory|time *: 
export default function () {
  let a = ["xxxxxxxxxx"]; for (let i = 0; i < 40; i++) a = [a, a];
  return String(a).length;
}
