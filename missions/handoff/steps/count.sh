# Counts the words of one file. Standard input is {"file":"north.txt"}; the
# answer goes to standard output, and the words are left behind as a file.
set -eu
export LC_ALL=C

file=$(sed 's/.*"file":"\([a-z]*\.txt\)".*/\1/')
tr -s ' \n' '\n\n' <"$OMEGA_MISSION/data/$file" | sort >"$OMEGA_OUT/words.txt"
printf '{"result":{"file":"%s","seen":%d}}\n' "$file" "$(wc -l <"$OMEGA_OUT/words.txt")"
