// problem 3: cannot import
export default function () {
  return require("fs").readFileSync("/etc/passwd");
}
