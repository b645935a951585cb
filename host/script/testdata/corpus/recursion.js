// thrown 3: more than 1000 deep
export default function f() {
  return 1 + f();
}
