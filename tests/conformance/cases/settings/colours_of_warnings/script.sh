export ANSIBLE_NOCOLOR=0 ANSIBLE_FORCE_COLOR=1 ANSIBLE_INVENTORY=hosts
export ANSIBLE_COLOR_WARN=cyan ANSIBLE_COLOR_DEPRECATE='bright green' ANSIBLE_COLOR_UNREACHABLE=rgb123 ANSIBLE_COLOR_HIGHLIGHT=blue
ansible-playbook play.yml 2>&1 | grep -o '^.*\(WARNING\]\|UNREACHABLE!\)' | cat -v
ansible-playbook play.yml 2>&1 | grep 'unreachable=' | cat -v
ansible web1 --list-hosts | cat -v
