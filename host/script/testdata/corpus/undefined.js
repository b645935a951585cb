// answer 2: is undefined
export default () => {};
