#!/bin/sh
[ "$1" = --host ] && { case $2 in a) echo '{"x": 1, "t": "{{ y }}"}';; b) ;; c) echo '{}';; esac; exit 0; }
echo '{"g": ["a", "b", "c"]}'
