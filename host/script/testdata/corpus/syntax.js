// problem 3: Unexpected
export default function () {
  return 1 +;
}
