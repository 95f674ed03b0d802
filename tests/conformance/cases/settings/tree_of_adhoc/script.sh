ansible -i hosts web1 -m ping -t tree >/dev/null 2>&1
cat tree/web1; echo
ansible -i hosts web1 -m debug -a '{"msg": {"a": [1, "é"]}}' -t tree >/dev/null 2>&1
cat tree/web1; echo
ansible -i hosts web1 -m fail -a msg=no -t tree -vvvv >/dev/null 2>&1
cat tree/web1; echo
