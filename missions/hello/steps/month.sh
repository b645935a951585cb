# Adds up what the stations found. Its input holds their results, one object each.
set -eu
export LC_ALL=C

# One station a line: the members of canonical JSON stand in alphabetical order.
sed 's/},{"dropped"/}\
{"dropped"/g' | awk '
function text(name) { return match($0, "\"" name "\":\"[^\"]*\"") ? substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5) : "" }
function number(name) { return match($0, "\"" name "\":-?[0-9.]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : "" }
function tenths(n, part) { return split(n, part, ".") == 2 ? part[1] * 10 + part[2] : part[1] * 10 }
function decimal(n) { return sprintf("%d.%d", n / 10, n % 10) }
{
	kept += number("kept")
	fell = tenths(number("rain"))
	rain += fell
	by = by (NR > 1 ? "," : "") sprintf("\"%s\":%s", text("station"), decimal(fell))
	if (fell > most) { most = fell; wettest = text("station"); day = text("day") }
}
END {
	printf "{\"result\":{\"kept\":%d,\"rain\":%s,\"by\":{%s},\"wettest\":{\"station\":\"%s\",\"day\":\"%s\"}},", kept, decimal(rain), by, wettest, day
	printf "\"compute_used\":\"%d\"}\n", NR
}'
