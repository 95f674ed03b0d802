printf 'no end {{ 1 }}' > noeol.j2
: > empty.j2
