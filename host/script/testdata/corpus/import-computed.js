// problem 2: Name the file
export default (input) => require("./etc/" + input.list + ".json");
