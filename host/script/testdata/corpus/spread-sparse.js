// memory|time *: 
export default function () {
  return [...new Array(4294967295)].length;
}
