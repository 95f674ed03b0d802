cat >append <<'X'
#!/bin/sh
echo appended >>"$1"
X
cat >nothing <<'X'
#!/bin/sh
exit 0
X
cat >fails <<'X'
#!/bin/sh
exit 3
X
chmod 755 append nothing fails
printf 'text\n' >a; ansible-vault encrypt --vault-id lab@pw a; chmod 640 a; ln -s a link
EDITOR=./append ansible-vault edit --vault-password-file pw a; echo "$?"
EDITOR="./append" ansible-vault edit --vault-password-file pw link; echo "$?"
cat a >before
EDITOR=./nothing ansible-vault edit --vault-password-file pw a; echo "$?"
cmp a before; echo "unchanged $?"
EDITOR=./append ansible-vault edit --vault-password-file pw2 a; echo "wrong $?"
EDITOR=./fails ansible-vault edit --vault-password-file pw a; echo "failed $?"
EDITOR=./append ansible-vault edit --vault-password-file pw missing; echo "missing $?"
ansible-vault view --vault-password-file pw a
EDITOR=./append ansible-vault create --vault-password-file pw --skip-tty-check new; echo "$?"
EDITOR=./append ansible-vault create --vault-password-file pw new; echo "no terminal $?"
EDITOR=./append ansible-vault create --vault-password-file pw --skip-tty-check new; echo "exists $?"
EDITOR=./append ansible-vault create --vault-password-file pw --skip-tty-check one two; echo "two $?"
EDITOR=./append ansible-vault create --vault-id x@pw --skip-tty-check folder/new; echo "$?"
ansible-vault view --vault-password-file pw new folder/new
