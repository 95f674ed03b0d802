log() { sed 's/^[0-9-]* [0-9:,]* p=[0-9]* u=[^ ]* n=ansible \([A-Z]*\)| /\1 /' log | grep 'No config file\|ok: \|META\|plays in\|NOTIFIED\|WARNING'; rm log; }
export ANSIBLE_LOG_PATH=log ANSIBLE_INVENTORY=hosts ANSIBLE_LOCALHOST_WARNING=no
ansible-playbook play.yml > shown; log
for level in 0 1 2; do
    echo "level $level"
    ANSIBLE_LOG_VERBOSITY=$level ansible-playbook play.yml > shown
    cat shown
    log
done
echo filtered
ANSIBLE_LOG_FILTER=ansible,other ansible-playbook play.yml > shown
cat log
rm -f log
ANSIBLE_LOG_FILTER=other ansible-playbook play.yml > shown
log
