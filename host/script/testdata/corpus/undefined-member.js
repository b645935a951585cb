// answer: {"b":[1,null],"z":0}
export default () => ({ z: -0, a: undefined, b: [1, null] });
