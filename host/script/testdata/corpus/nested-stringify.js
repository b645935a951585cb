// thrown|memory *: 
export default function () {
  let a = [];
  for (let i = 0; i < 300000; i++) a = [a];
  return JSON.stringify(a);
}
