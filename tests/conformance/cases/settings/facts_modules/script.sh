# Which modules gather facts.
cat > p.yml <<'P'
- hosts: web1
  gather_subset: ['!all']
  tasks:
    - debug: {msg: "play {{ ansible_facts.os_family is defined }}"}
    - gather_facts:
      register: r
      ignore_errors: true
    - debug: {msg: "modules {{ [r.failed, r.msg | d(), r.failed_modules | d({}) | dict2items | map(attribute='key') | list, r.failed_modules | d({}) | dict2items | map(attribute='value.msg') | list, r.ansible_facts.ansible_os_family is defined] }}"}
    - gather_facts: {gather_subset: '!all', parallel: true}
      vars: {ansible_facts_modules: [setup, ansible.builtin.ping]}
      register: r
    - debug: {msg: "named {{ [r.failed, r.ansible_facts.ansible_os_family is defined] }}"}
P
run() { echo "$1:"; ANSIBLE_FACTS_MODULES=$1 ansible-playbook -i hosts p.yml > out.txt 2> err.txt; echo "$?"; grep -o '"msg": "[a-zA-Z][^{]*"' out.txt | cut -c1-200; grep -o '\[WARNING\]: Not passing.*' err.txt; }
for modules in smart setup ansible.builtin.setup smart,ping ping nosuch; do run "$modules"; done
printf '[defaults]\nfacts_modules = ping\n' > own.cfg
ANSIBLE_CONFIG=own.cfg ansible-playbook -i hosts p.yml 2>/dev/null | grep '"msg"'
ANSIBLE_FACTS_MODULES=ping ansible -i hosts web1 -m gather_facts -a 'filter=x gather_timeout=3' 2>&1 | grep -o 'Not passing.*' | sort
sed '/subset/d; s/- hosts: web1/- hosts: web1\n  gather_facts: false/' p.yml > q.yml
ANSIBLE_FACTS_MODULES='setup, getent' ansible-playbook -i hosts q.yml > out.txt 2>/dev/null; echo "$?"; grep '^ *"msg": "[pmn]' out.txt
