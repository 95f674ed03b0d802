# What `hosts:` may not be, as written and as rendered: how each run ends. What names nobody runs nowhere.
try() {
    printf -- '- hosts: %s\n  gather_facts: false\n  tasks:\n    - debug: {msg: ran}\n' "$1" > p.yml
    ansible-playbook -i web1,5, -c local p.yml > out.txt 2>&1
    echo "$1: $? $(grep -E '^(PLAY \[.*\]|skipping: )' out.txt | tr -d '*') $(grep -oE "Hosts list (cannot|contains|must be a sequence or string)[^'.,]*|Keyword 'hosts' [^.]*" out.txt | head -1)"
}
for hosts in 5 '[5]' '[web1, 5]' 1.5 true '{a: b}' '[{a: b}]' '[null]' null '""' '" "' '[""]' '[]' '"5"' '["5"]'; do
    try "$hosts"
done
for expression in 5 '[5]' 'none' '[none]' 'true' "{'web1': 1}" "''" "['web1', '']" '[]' "['web1']" "'5'"; do
    try "\"{{ $expression }}\""
done
try "['{{ [\"web1\"] }}']"
try "['{{ [] }}', web1]"
