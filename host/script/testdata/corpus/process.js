// thrown 3: ReferenceError
export default function () {
  return process.env.HOME;
}
