chmod +x sudo
PATH=$PWD:$PATH
become() { ansible web1 -i hosts -b --become-user "$(id -un)" -m command -a whoami -vvv 2>&1 | grep -o 'EXEC.*sudo -H -S -n' | wc -l; }
become
export ANSIBLE_BECOME_ALLOW_SAME_USER=1
become
