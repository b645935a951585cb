// answer 2: is a function
export default function () {
  return { toJSON() { return { allow: true }; } };
}
