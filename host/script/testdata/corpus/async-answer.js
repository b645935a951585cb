// answer: {"allow":true}
export default async function () {
  const [a] = await Promise.all([Promise.resolve(true), null]);
  return { allow: a };
}
