export ANSIBLE_INVENTORY=hosts ANSIBLE_BECOME=yes ANSIBLE_BECOME_USER=nosuch PATH="$PWD:$PATH"
cat > anysudo <<'S'
#!/bin/sh
echo "$0" | sed 's,.*/,program ,' >> said
while [ $# -gt 0 ]; do
    case $1 in
        -u) echo "user $2" >> said; shift 2 ;;
        -p) prompt=$2; shift 2 ;;
        -E|-P|--preserve-env=*) echo "flag $1" >> said; shift ;;
        -*) shift ;;
        *) break ;;
    esac
done
if [ -n "$prompt" ]; then
    printf %s "$prompt" >&2
    read -r password
    echo "password $password" >> said
fi
exec "$@"
S
chmod +x anysudo
for name in mysudo sudo; do cp anysudo "$name"; done
run() { rm -f said; ansible web1 -m command -a 'echo ran' "$@" 2>&1 | tail -n 1; sort -u said; echo; }
run
ANSIBLE_BECOME_EXE=mysudo run
ANSIBLE_SUDO_EXE=mysudo run
ANSIBLE_BECOME_EXE=nosuch ANSIBLE_SUDO_EXE=mysudo run
ANSIBLE_BECOME_FLAGS='-H -S -E' run
ANSIBLE_SUDO_FLAGS='-H -S -n -P' run
ANSIBLE_BECOME_FLAGS='-H -S -E' ANSIBLE_SUDO_FLAGS='-H -S -n -P' run
ANSIBLE_BECOME_PASS=first run
ANSIBLE_SUDO_PASS=second run
echo third > secret
ANSIBLE_BECOME_PASSWORD_FILE=secret run
printf '#!/bin/sh\necho fourth\n' > program
chmod +x program
ANSIBLE_BECOME_PASSWORD_FILE=program run
