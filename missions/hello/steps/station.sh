# Reads the rows of one station, drops the bad ones, and says what is left.
# Standard input is the job's input, {"station":"coast"}; standard output is the
# answer; a file left in $OMEGA_OUT is kept with it.
set -eu
export LC_ALL=C

station=$(sed 's/.*"station":"\([a-z]*\)".*/\1/')
awk -F, -v station="$station" -v clean="$OMEGA_OUT/$station.csv" '
# Readings have one decimal; inside they are whole tenths, which add up exactly.
function tenths(text) { sub(/\./, "", text); return text + 0 }
function decimal(n) { return sprintf("%s%d.%d", n < 0 ? "-" : "", (n < 0 ? -n : n) / 10, (n < 0 ? -n : n) % 10) }
function reading(text) { return text ~ /^-?[0-9]+\.[0-9]$/ }

NR == 1 { print > clean; next }
{ rows++ }
!(reading($2) && reading($3) && reading($4)) || tenths($2) > tenths($3) {
	dropped++
	printf "%s: row %d is dropped: %s\n", station, NR, $0 > "/dev/stderr"
	next
}
{
	print > clean
	if (!kept++ || tenths($2) < low) low = tenths($2)
	if (kept == 1 || tenths($3) > high) high = tenths($3)
	if (kept == 1 || tenths($4) > most) { most = tenths($4); day = $1 }
	rain += tenths($4)
}
END {
	printf "{\"result\":{\"station\":\"%s\",\"rows\":%d,\"kept\":%d,\"dropped\":%d,", station, rows, kept, dropped
	printf "\"low\":%s,\"high\":%s,\"rain\":%s,", decimal(low), decimal(high), decimal(rain)
	printf "\"wettest\":{\"day\":\"%s\",\"rain\":%s}},", day, decimal(most)
	printf "\"energy_used\":\"%d\",\"compute_used\":\"%d\"}\n", rows, kept
}' "$OMEGA_MISSION/data/$station.csv"
