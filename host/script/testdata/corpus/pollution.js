// thrown 3: TypeError
export default function () {
  Object.prototype.allow = true;
  return {};
}
