# Without a library that Ansible does not bring along, only a tree can be had: it has nothing to do with TOML.
for what in --list '--host a' --graph; do
    ansible-inventory -i a,b, $what --toml > out.txt 2> /dev/null; echo "$what: $?" $(cat out.txt)
done
