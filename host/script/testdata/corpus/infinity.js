// answer 2: is -Infinity
export default () => -1 / 0;
