// answer 2: is a Map
export default () => new Map([[1, 2]]);
