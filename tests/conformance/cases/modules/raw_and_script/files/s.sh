#!/bin/sh
echo "args: $# $1 $2"
pwd | grep -c ^/
echo "to stderr" >&2
