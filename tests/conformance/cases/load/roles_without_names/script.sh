# Entries of `roles:` that name none: how each run ends.
mkdir -p roles/r/tasks && echo '- debug: msg=x' > roles/r/tasks/main.yml
for role in '{a: b}' '{src: r}' '{role: 5}' '{role: }' '{name: }' 5 null '[r]' '{name: r}'; do
    printf -- '- hosts: localhost\n  gather_facts: false\n  roles: [%s]\n' "$role" > p.yml
    ansible-playbook p.yml > out.txt 2>&1
    echo "$role: $? $(grep -oE 'role definitions must contain a role name|Invalid role definition' out.txt | head -1)"
done
