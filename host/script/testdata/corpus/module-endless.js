// problem 2: took longer
for (let i = 0; ; i++);
export default () => 1;
