// thrown 4: Error: late
export default async function () {
  await 1;
  throw new Error("late");
}
