# What shows texts on a terminal, which `script` makes.
echo vaulted > pw
printf 'one\ntwo\n' > text
ansible-vault encrypt --vault-password-file pw text 2>/dev/null
run() { script -qec 'ansible-vault view --vault-password-file pw text' /dev/null < /dev/null | tr -d '\r'; echo; }
ANSIBLE_PAGER='sed s/^/paged:/' run
PAGER='sed s/^/other:/' run
ANSIBLE_PAGER='sed s/^/paged:/' PAGER='sed s/^/other:/' run
printf '[defaults]\npager = sed s/^/own:/\n' > own.cfg
ANSIBLE_CONFIG=own.cfg run
ANSIBLE_PAGER='sed s/^/paged:/' ansible-vault view --vault-password-file pw text
