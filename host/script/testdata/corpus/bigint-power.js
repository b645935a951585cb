// time|memory|thrown *: 
export default function () {
  return String(3n ** (3n ** 17n));
}
