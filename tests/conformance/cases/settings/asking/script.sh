# Settings that ask for secrets; nobody is at a terminal, so the answers come by the input.
export ANSIBLE_INVENTORY=hosts PATH="$PWD:$PATH" SAID="$PWD/said"
cat > sudo <<'S'
#!/bin/sh
while [ $# -gt 0 ]; do case $1 in -p) printf %s "$2" >&2; read -r password; echo "password $password" >> "$SAID"; shift 2 ;; -u) shift 2 ;; -*) shift ;; *) exec "$@" ;; esac; done
S
chmod +x sudo
run() { rm -f said; setsid -w ansible web1 -b --become-user other -m command -a 'echo ran' 2>/dev/null | sed -n '/^ran/p'; sort -u said; echo; }
printf 'login\n\n' | ANSIBLE_ASK_PASS=yes ANSIBLE_BECOME_ASK_PASS=yes run
printf 'login\nother\n' | ANSIBLE_ASK_PASS=yes ANSIBLE_BECOME_ASK_PASS=yes run
echo filed > login
printf '\n' | ANSIBLE_CONNECTION_PASSWORD_FILE=login ANSIBLE_BECOME_ASK_PASS=yes run
printf '#!/bin/sh\necho said\n' > program; chmod +x program
printf '\n' | ANSIBLE_CONNECTION_PASSWORD_FILE=program ANSIBLE_BECOME_ASK_PASS=yes run
echo vaulted > pw
ansible-vault encrypt_string --vault-password-file pw found --name secret > vars.yml 2>/dev/null
printf -- '- hosts: web1\n  gather_facts: false\n  vars_files: [vars.yml]\n  tasks: [{debug: {msg: "{{ secret }}"}}]\n' > p.yml
printf 'vaulted\n' | ANSIBLE_ASK_VAULT_PASS=yes setsid -w ansible-playbook p.yml 2>/dev/null | grep '"msg"'
printf 'wrong\n' | ANSIBLE_ASK_VAULT_PASS=yes setsid -w ansible-playbook p.yml 2>/dev/null | grep '"msg"'
echo "$?"
