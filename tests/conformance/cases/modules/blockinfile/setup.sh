printf 'a\nb\nc\n' > f; printf 'no end' > noeol
