echo "run by sh: $1"
