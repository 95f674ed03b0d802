printf '# comment\na=1\nb=2\nc=3\ndup 1\nx one\ndup 2\nx two\nend\n' > f; printf 'no end' > noeol
