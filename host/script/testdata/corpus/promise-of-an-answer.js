// time 3:
export default () => ({
  get a() { Promise.resolve().then(() => { for (;;); }); return 1; },
});
