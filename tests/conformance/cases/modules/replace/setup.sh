printf '# comment\nold one old\nk=1\nk=22\nx\nbegin x\nx x\nend x\né y\n' > f
