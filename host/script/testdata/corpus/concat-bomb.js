// memory|thrown|time 4: 
export default function () {
  let a = [1, 2, 3, 4, 5, 6, 7, 8];
  for (;;) a = a.concat(a);
}
