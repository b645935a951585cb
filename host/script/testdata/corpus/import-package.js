// problem 2: cannot import "lodash"
import _ from "lodash";
export default () => _;
