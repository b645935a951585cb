// problem 2: there is no omega:nothing
import x from "omega:nothing";
export default () => x;
