// problem 2: there is no file
import x from "./missing";
export default () => x;
