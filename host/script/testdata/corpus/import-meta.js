// problem 2: reserved word
export default () => import.meta.url;
