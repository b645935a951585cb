// answer 2: is a Date
export default () => new Date();
