// answer: "yes"
export default () => "yes";
