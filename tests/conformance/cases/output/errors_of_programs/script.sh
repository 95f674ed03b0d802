told() { { "$@" 2>&1; echo "exit code $?"; } | grep -v '^hint:'; }
told ansible -i hosts web1 -m meta -a end_role | grep ERROR
told ansible-playbook -i hosts nowhere.yml
told ansible-playbook -i hosts loop_control.yml
told ansible-playbook -i hosts when.yml
told ansible-playbook -i hosts role.yml
