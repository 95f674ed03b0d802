for f in a b c d; do printf 'text\n' >$f; done
ansible-vault encrypt --vault-id lab@pw a; head -n 1 a
ansible-vault encrypt --vault-id lab@pw --vault-id other@pw2 b; echo "which $?"
ansible-vault encrypt --vault-id lab@pw --vault-id other@pw2 --encrypt-vault-id other b; head -n 1 b
ansible-vault encrypt --vault-id lab@pw --encrypt-vault-id nope c; echo "unknown $?"
ANSIBLE_VAULT_ENCRYPT_IDENTITY=other ANSIBLE_VAULT_IDENTITY_LIST=lab@pw,other@pw2 ansible-vault encrypt c; head -n 1 c
ANSIBLE_VAULT_PASSWORD_FILE=pw ansible-vault encrypt d; head -n 1 d
ansible-vault view --vault-id other@pw a; echo "$?"
ANSIBLE_VAULT_ID_MATCH=true ansible-vault view --vault-id other@pw a; echo "match $?"
ansible-vault view --vault-id x@pw --vault-id y@pw2 a b c d; echo "$?"
ansible-vault rekey --vault-id lab@pw --new-vault-id new@pw2 a; head -n 1 a
ansible-vault rekey --vault-id lab@pw2 --new-vault-password-file pw a; head -n 1 a
ansible-vault rekey --vault-id lab@pw --vault-id other@pw2 --new-vault-id third@pw --encrypt-vault-id third b; echo "$?"; head -n 1 b
ansible-vault rekey --vault-id other@pw2 --new-vault-id n@pw --new-vault-password-file pw c; echo "both $?"
printf '#!/bin/sh\nprintf "said for %%s" "$2"\n' >a-client; chmod 755 a-client
printf 'text\n' >e; ansible-vault encrypt --vault-id lab@a-client e; head -n 1 e; ansible-vault view --vault-id lab@a-client e; echo "$?"
ansible-vault view --vault-id other@a-client e; echo "other label $?"
ansible-vault view --vault-password-file nowhere e; echo "no file $?"
ansible-vault encrypt_string --vault-id gone@nowhere --vault-id lab@pw text; echo "one is there $?"
ansible-vault encrypt_string --vault-id gone@nowhere --vault-id lab@pw --vault-id other@pw2 text; echo "two are there $?"
ansible-vault encrypt_string --vault-id gone@nowhere --vault-id lab@pw --encrypt-vault-id gone text; echo "the other is wanted $?"
