# Reads the river gauge and finds its crest. The line to the gauge is bad: the
# first call gets no answer, so the first attempt fails, and the second does the work.
set -eu
export LC_ALL=C

if [ "$OMEGA_ATTEMPT" = 1 ]; then
	echo "gauge: no answer on the first call, hanging up" >&2
	exit 1
fi
echo "gauge: answered on call $OMEGA_ATTEMPT" >&2
awk '
$3 > crest { crest = $3; day = $1; time = $2 }
END {
	printf "{\"result\":{\"readings\":%d,\"crest\":%d,\"day\":\"%s\",\"time\":\"%s\"},\"energy_used\":\"%d\"}\n", NR, crest, day, time, NR
}' "$OMEGA_MISSION/data/river.txt"
