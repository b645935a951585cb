// answer 2: answer.list[1] is NaN
export default () => ({ list: [1, NaN] });
