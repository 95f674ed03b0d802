# How often a job is looked at that does not say so: without the setting the first look is after 15 seconds.
export ANSIBLE_ASYNC_DIR="$PWD/async"
printf -- '- hosts: web1\n  gather_facts: false\n  tasks: [{command: sleep 1, async: 30}]\n' > p.yml
began=$(date +%s)
ANSIBLE_POLL_INTERVAL=1 ansible-playbook -i hosts p.yml > out.txt 2>&1; echo "$?"
printf '[defaults]\npoll_interval = 1\n' > own.cfg
ANSIBLE_CONFIG=own.cfg ansible-playbook -i hosts p.yml > out.txt 2>&1; echo "$?"
test $(($(date +%s) - began)) -lt 14 && echo soon
