// answer 2: is a symbol
export default () => Symbol("x");
