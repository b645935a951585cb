// problem 2: leaves the mission folder
import x from "../../secret.js";
export default () => x;
