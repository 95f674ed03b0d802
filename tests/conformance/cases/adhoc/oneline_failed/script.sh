export ANSIBLE_INVENTORY=hosts
ansible web1 -o -m shell -a 'echo out; echo err >&2; exit 3' | sed 's/"\(delta\|end\|start\)": "[^"]*"/"\1": …/g'
ansible web1 -o -m raw -a 'echo out; exit 3'
ansible web1 -o -m fail -a msg=no
