// problem 2: cannot import
import x from "/etc/passwd";
export default () => x;
