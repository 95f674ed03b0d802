shown() { ansible-playbook "$@" 2>&1 | grep -o 'WARNING\]: [A-Za-z -]*'; echo; }
shown -i hosts play.yml
ANSIBLE_DEPRECATION_WARNINGS=no shown -i hosts play.yml
ANSIBLE_ACTION_WARNINGS=no shown -i hosts play.yml
printf -- '- hosts: localhost\n  gather_facts: false\n  tasks: [debug: {msg: x}]\n' > local.yml
shown local.yml
ANSIBLE_LOCALHOST_WARNING=no shown local.yml
ANSIBLE_LOCALHOST_WARNING=no ANSIBLE_INVENTORY_UNPARSED_WARNING=no shown local.yml
