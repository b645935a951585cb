// answer 2: answer.n is a BigInt
export default () => ({ n: 1n });
