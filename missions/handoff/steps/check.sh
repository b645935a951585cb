# Judges one result: {"job":…,"input":…,"result":…,"files":[…]} comes in, a vote
# goes out. It counts again, and looks into the file that was left behind.
set -eu
export LC_ALL=C

asked=$(cat)
said=$(expr "$asked" : '.*"seen":\([0-9]*\)')
file=$(expr "$asked" : '.*"result":{"file":"\([a-z]*\.txt\)"') || file='*.txt' # the census itself
is=$(cat "$OMEGA_MISSION"/data/$file | wc -w)
if kept=$(expr "$asked" : '.*"name":"words.txt","digest":"\([0-9a-f]*\)"'); then
	kept=$(wc -l <"$OMEGA_BLOBS/$kept")
else
	kept=$is # the census leaves no file
fi

if [ "$said" -eq "$is" ] && [ "$kept" -eq "$is" ]; then
	echo '{"vote":"approve"}'
else
	printf '{"vote":"reject","reason":"%d were seen, the result says %d"}\n' "$is" "$said"
fi
