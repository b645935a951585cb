# Writes the report from all results and leaves it in $OMEGA_OUT.
set -eu
export LC_ALL=C

sed 's/"stations":\[/&\
/
s/},{"dropped"/}\
{"dropped"/g' | awk -v file="$OMEGA_OUT/report.txt" '
function text(name) { return match($0, "\"" name "\":\"[^\"]*\"") ? substr($0, RSTART + length(name) + 4, RLENGTH - length(name) - 5) : "" }
function number(name) { return match($0, "\"" name "\":-?[0-9.]+") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 3) : "" }
function decimal(n) { return sprintf("%.1f", n) }
NR == 1 { # {"month":{…},"river":{…},"stations":[
	kept = number("kept"); wettest = text("station")
	crest = number("crest"); time = text("time")
	sub(/.*"river":/, ""); risen = text("day")
	next
}
{
	stations++
	line[stations] = sprintf("%-8s %6s %6s %8s   %s   %d of %d", text("station"), decimal(number("low")), decimal(number("high")), decimal(number("rain")), text("day"), number("kept"), number("rows"))
	if (text("station") == wettest) rained = text("day")
}
END {
	lag = substr(risen, 9) - substr(rained, 9)
	print "The weather of March 2024" > file
	print "" > file
	print "station     low   high  rain/mm   wettest day  good rows" > file
	for (i = 1; i <= stations; i++) print line[i] > file
	print "" > file
	printf "%d good rows. Most rain fell at the %s station.\n", kept, wettest > file
	printf "The river crested at %d cm on %s, %s, %d days after the wettest day there.\n", crest, risen, time, lag > file
	printf "{\"result\":{\"file\":\"report.txt\",\"stations\":%d,\"lag\":%d}}\n", stations, lag
}'
