// A validator of the flagship: besides its accept block, what every result has to
// be. A number is a number and not below zero, nothing that was counted is left
// empty, and a file that a result speaks of is really there.

export default function ({ result, files }) {
  if (result === null || typeof result !== "object") return reject("the result is no object");
  if (result.wrong === true) return reject("the result says that it is wrong");
  for (const [name, value] of Object.entries(result)) {
    if (typeof value === "number" && value < 0) return reject(`${name} is below zero`);
    if ((typeof value === "string" || Array.isArray(value)) && value.length === 0) return reject(`${name} is empty`);
  }
  if (result.file !== undefined && !files.some((file) => file.name === result.file && file.size > 0)) return reject(`there is no ${result.file}`);
  return { vote: "approve" };
}

const reject = (reason) => ({ vote: "reject", reason });
