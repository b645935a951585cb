// problem 2: 
await 1;
export default () => 1;
