// thrown 4: here
export default () => {
  const s = `//# sourceMappingURL=none`;
  throw new Error("here" + s.length);
};
//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjogMywgInNvdXJjZXMiOiBbIm90aGVyLmpzIl0sICJuYW1lcyI6IFtdLCAibWFwcGluZ3MiOiAiQUFnR0E7QUFDQTtBQUNBO0FBQ0EifQ==
