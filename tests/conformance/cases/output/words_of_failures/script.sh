# What is said of failures, where a playbook may compare it.
{
    printf -- '- hosts: web1\n  gather_facts: false\n  tasks:\n'
    while read -r task; do
        printf -- '    - %s\n      ignore_errors: true\n      register: r\n    - debug: {msg: "{{ r.failed }} {{ r.msg | d() | regex_replace(%s) }}"}\n' "$task" "' Supported parameters include.*'"
    done
} > written <<'TASKS'
debug: {msg: '{{ "abc" | regex_search("(b)", "\\2") }}'}
debug: {msg: '{{ "abc" | regex_search("(b)", "x") }}'}
debug: {msg: '{{ "abc" | regex_search("(b)", 1) }}'}
debug: {msg: "{{ [{'a': 1}, {'a': 1}] | rekey_on_member('a') }}"}
debug: {msg: "{{ [{'a': 'x'}, {'a': 'x'}] | rekey_on_member('a') }}"}
debug: {msg: "{{ [{'a': 'x'}] | rekey_on_member(1) }}"}
debug: {msg: "{{ [1, 2] | extract([3]) }}"}
debug: {msg: "{{ [1, 2] | extract({'a': 1}) }}"}
debug: {msg: "{{ {'a': 1}[[1, 2]] }}"}
debug: {msg: "{{ {'a': 1}[[1, 2]] | d('nothing') }}"}
debug: {msg: "{{ 'abc'[{'a': 1}] }}"}
debug: {msg: "{{ hostvars['nope'].x }}"}
debug: {msg: "{{ hostvars.nope }}"}
debug: {msg: "{{ hostvars[5] }}"}
debug: {msg: "{{ hostvars.get('nope', 5) }}"}
debug: {msg: "{{ hostvars.get('nope') | d('nothing') }}"}
debug: {msg: "{{ 'nope' | extract(hostvars, 'x') }}"}
debug: {msg: "{{ hostvars.web1.get('nope') is none }}"}
debug: {msg: "{{ lookup('fileglob', 5) }}"}
debug: {msg: x} ;; with_first_found: [nope]
debug: {msg: x} ;; with_lines: exit 1
debug: {msg: x} ;; with_file: nope
debug: {msg: x} ;; with_items: "{{ lookup('file', 'nope') }}"
debug: {msg: x} ;; with_items: "{{ nope }}"
debug: {msg: x} ;; loop: "{{ 1 / 0 }}"
debug: {msg: x} ;; loop: 5
command: {cmd: echo, nope: 1}
ansible.builtin.shell: {cmd: echo, nope: 1}
raw: echo ;; args: {nope: 1}
script: echo ;; args: {nope: 1}
copy: {content: x, dest: x, nope: 1}
file: {path: /x, nope: 1}
ansible.builtin.file: {path: /x, nope: 1}
ansible.legacy.stat: {path: /x, nope: 1}
stat: {nope: 1}
assert: {nope: 1}
assert: {that: true, nope: 1}
template: {nope: 1}
wait_for_connection: {nope: 1}
TASKS
sed 's/ ;; /\n      /' written > p.yml
ansible-playbook -i hosts p.yml 2> err.txt | grep '"msg": "\(True\|False\) ' || cat err.txt
