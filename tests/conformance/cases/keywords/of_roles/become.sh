#!/bin/sh
# Stands in for sudo and su: runs the command as who we are, and tells it how it was called.
user= words=
while [ $# -gt 0 ]; do
  case $1 in
    -u) user=$2; shift 2 ;;
    -H | -S | -n) shift ;;
    -*) words="$words $1"; shift ;;
    *) break ;;
  esac
done
how=sudo
if [ -z "$user" ]; then
  how=su user=$1
  shift
  set -- /bin/sh "$@"
fi
BECAME="$how $user$words" exec "$@"
