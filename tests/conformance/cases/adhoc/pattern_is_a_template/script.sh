# The play renders its pattern: what names nobody as written is no mistake yet.
export ANSIBLE_HOST_PATTERN_MISMATCH=error
ansible -i hosts '{{ "localhost" }}' -c local -m debug 2>/dev/null; echo "exit $?"
ansible -i hosts nobody -c local -m debug 2>/dev/null; echo "exit $?"
ansible -i hosts nobody --list-hosts 2>/dev/null; echo "exit $?"
