// thrown 3: here
export default () => {
  throw new Error("here");
};
//# sourceMappingURL=file:///dev/full
