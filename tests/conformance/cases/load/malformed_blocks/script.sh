# What the parts of a block may not be: how each run ends.
try() {
    printf -- '- hosts: localhost\n  gather_facts: false\n  %s: [%s]\n' "$1" "$2" > p.yml
    ansible-playbook p.yml > out.txt 2>&1
    echo "$1 $2: $? $(grep -oE "encountered while loading [a-z]+|'[a-z]+' keyword cannot be used without 'block'" out.txt | head -1)"
}
for block in '{block: }' '{block: , always: [{debug: }]}' '{block: [], rescue: }' '{block: [], always: }' '{rescue: }' '{block: 5}' "{block: ''}" \
    '{block: {debug: }}' '{block: [{block: }]}' '{block: [], rescue: []}' '{block: [], rescue: [{debug: }]}' '{rescue: [{debug: }]}' '{block: []}'; do
    try tasks "$block"
done
try handlers '{block: }'
