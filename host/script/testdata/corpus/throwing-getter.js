// thrown 3: Error: mine
export default function () {
  return { get allow() { throw new Error("mine"); } };
}
