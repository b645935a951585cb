// answer 2: is a Generator
export default function* () { yield 1; }
