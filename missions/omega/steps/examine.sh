# A validator with a program of its own: it believes no result that says of itself
# that it is wrong, and no empty one.
set -eu
judged=$(cat)
case $judged in
*'"result":{"wrong":true}'*) echo '{"vote":"reject","reason":"the result says that it is wrong"}' ;;
*'"result":{}'*) echo '{"vote":"reject","reason":"the result is empty"}' ;;
*) echo '{"vote":"approve"}' ;;
esac
