// thrown 3: Error: mine
export default function () {
  return new Proxy({}, { ownKeys() { throw new Error("mine"); } });
}
