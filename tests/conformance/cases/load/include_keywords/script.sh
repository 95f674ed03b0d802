# Keywords that an include does not take, one at a time: how each run ends.
echo '- debug: msg=x' > i.yml
mkdir -p roles/r/tasks && echo '- debug: msg=x' > roles/r/tasks/main.yml
try() {
    printf -- '- hosts: localhost\n  gather_facts: false\n  %s:\n    - %s\n      %s\n' "$1" "$2" "$3" > p.yml
    ansible-playbook --syntax-check p.yml > out.txt 2>&1
    echo "$1 $2 $3: $? $(grep -oE "'[a-z_]+' is not a valid attribute for a [A-Za-z]+|Using '[a-z_]+' as a handler is not supported" out.txt | head -1)"
}
for include in 'include_tasks: i.yml' 'include_role: {name: r}'; do
    for keyword in 'async: 5' 'become: true' 'changed_when: true' 'check_mode: true' 'delegate_to: x' 'environment: {}' 'ignore_errors: true' \
        'ignore_unreachable: true' 'loop: [1]' 'no_log: true' 'notify: x' 'register: x' 'retries: 1' 'run_once: true' 'tags: x' 'throttle: 1' \
        'timeout: 1' 'until: true' 'vars: {}' 'when: true'; do
        try tasks "$include" "$keyword"
    done
done
try tasks 'local_action: include_tasks i.yml' 'name: x'
try handlers 'include_tasks: i.yml' 'listen: x'
try handlers 'include_tasks: i.yml' 'notify: x'
try handlers 'include_role: {name: r}' 'name: x'
try handlers 'import_role: {name: r}' 'name: x'
