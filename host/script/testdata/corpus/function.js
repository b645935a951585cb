// answer 2: is a function
export default () => ({ f() {} });
