# Writes the chronicle from the results it is given, as a file people can read.
set -eu
input=$(cat)
number() { printf '%s' "$input" | sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p"; }
text() { printf '%s' "$input" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
{
  echo "The chronicle of the swarm"
  echo
  echo "Cells added:        $(number cells)"
  echo "Orbits surveyed:    $(number orbits)"
  echo "Routes in balance:  $(number routes), $(number imbalance) off"
  echo "Worst region:       $(text worst)"
} > "$OMEGA_OUT/chronicle.txt"
lines=$(wc -l < "$OMEGA_OUT/chronicle.txt" | tr -d ' ')
echo "{\"result\":{\"file\":\"chronicle.txt\",\"lines\":$lines}}"
