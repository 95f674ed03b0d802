ansible-inventory -i hosts --host web1
ansible-inventory -i hosts --list --limit web2
ansible-inventory -i hosts --graph --vars
ansible-inventory -i hosts --list --export
ansible-inventory -i hosts --list -y -e colour=blue
ANSIBLE_INJECT_FACT_VARS=false ansible-inventory -i hosts --host web1
ansible-inventory -i hosts --host web1 --flush-cache
