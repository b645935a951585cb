// thrown 3: 
export default function () {
  throw Symbol("x");
}
