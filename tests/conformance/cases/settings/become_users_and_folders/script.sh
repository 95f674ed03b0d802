# The user of each method and the folder of sudo: programs that stand in for sudo and su say how they were started.
export ANSIBLE_INVENTORY=hosts ANSIBLE_BECOME=yes PATH="$PWD:$PATH"
for name in sudo su; do
    cat > $name <<'S'
#!/bin/sh
case $0 in
    *sudo) while [ $# -gt 0 ]; do case $1 in -u) echo "sudo $2 in $PWD" >> "$SAID"; shift 2 ;; -*) shift ;; *) exec "$@" ;; esac; done ;;
    *) while [ $# -gt 0 ]; do case $1 in -c) exec /bin/sh -c "$2" ;; -s) echo "flag $1 $2" >> "$SAID"; shift 2 ;; -*) echo "flag $1" >> "$SAID"; shift ;; *) echo "su $1 in $PWD" >> "$SAID"; shift ;; esac; done ;;
esac
S
    chmod +x $name
done
export SAID="$PWD/said" HERE="$PWD"
mkdir 'a folder'
run() { rm -f said; ansible web1 -m raw -a 'echo ran' "$@" 2>&1 | sed -n '/^ran/p'; sort -u said | sed "s|$HERE|HERE|"; echo; }
ANSIBLE_BECOME_USER=one run
ANSIBLE_SUDO_USER=two run
ANSIBLE_BECOME_USER=one ANSIBLE_SUDO_USER=two run
ANSIBLE_SUDO_USER=two run --become-user three
ANSIBLE_SUDO_USER=two run -e ansible_become_user=three
ANSIBLE_SUDO_USER=two ANSIBLE_SU_USER=four run --become-method su
ANSIBLE_BECOME_USER=one ANSIBLE_SU_FLAGS='-l -s /bin/sh' run --become-method su
printf '[privilege_escalation]\nbecome_user = one\n[sudo_become_plugin]\nuser = two\n' > own.cfg
ANSIBLE_CONFIG=own.cfg run
export ANSIBLE_BECOME_USER=one
ANSIBLE_SUDO_CHDIR=/usr run
ANSIBLE_SUDO_CHDIR="$PWD/a folder" run
ANSIBLE_SUDO_CHDIR=/usr run --become-method su
run -e ansible_sudo_chdir=/usr
printf '[sudo_become_plugin]\nchdir = /usr\n' > own.cfg
ANSIBLE_CONFIG=own.cfg run
ANSIBLE_SUDO_CHDIR=/no/such/folder run 2>/dev/null
ANSIBLE_SUDO_CHDIR=/no/such/folder ansible web1 -m raw -a 'echo ran' > out.txt 2>&1; echo "$? $(grep -o "cd: can't cd to /no/such/folder" out.txt | head -1)"
