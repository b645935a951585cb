// memory|time 4: 
export default function () {
  let s = "xxxxxxxxxx";
  for (;;) s = s.replaceAll("x", "xxxxxxxxxx");
}
