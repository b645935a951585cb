// time 3: took longer
export default function () {
  return /^(?=(a+)+$)(a|aa)+\1$/.test("a".repeat(40) + "b");
}
