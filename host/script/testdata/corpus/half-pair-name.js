// answer 2: half a surrogate pair
export default () => ({ "\ud800": 1, b: 2 });
