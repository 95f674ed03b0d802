# Connections and become methods that there are none of.
for keywords in 'connection: 5' 'connection: nosuch' 'connection: true' 'connection: local, become: true, become_method: nosuch' \
    'connection: local, become: true, become_method: 5'; do
    printf -- '- hosts: web1\n  gather_facts: false\n  tasks: [{ping: , %s}]\n' "$keywords" > p.yml
    ansible-playbook -i web1, p.yml > out.txt 2>&1
    echo "$keywords: $? $(grep -oE "the connection plugin '[^']*' was not found|Invalid become method specified, could not find matching plugin: '[^']*'" out.txt | head -1)"
done
