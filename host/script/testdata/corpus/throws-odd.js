// thrown 3: 
export default function () {
  throw { toString() { throw 1; } };
}
