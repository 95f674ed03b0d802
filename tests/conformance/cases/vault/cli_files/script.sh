# Files: what one program seals the other opens, since with one salt they seal alike.
printf 'plain\n' >a; printf 'plain\n' >b; printf '\000\377bin' >bin; : >empty; chmod 644 a b bin empty; ln -s b link
ansible-vault encrypt --vault-password-file pw a bin empty; echo "$?"
ansible-vault encrypt --vault-password-file pw link; echo "$?"
cat a empty b
ansible-vault encrypt --vault-password-file pw a; echo "again $?"
ansible-vault view --vault-password-file pw a link empty; echo "$?"
ansible-vault view --vault-password-file pw - <a; echo "$?"
ansible-vault decrypt --vault-password-file pw --output opened a; echo "$?"
ansible-vault decrypt --vault-password-file pw --output - link; echo "$?"
ansible-vault decrypt --vault-password-file pw <a; echo "$?"
ansible-vault encrypt --vault-password-file pw <b | ansible-vault decrypt --vault-password-file pw; echo "$?"
printf 'from stdin' | ansible-vault encrypt --vault-pass-file pw --output sealed; echo "$?"
printf 'from stdin' | ansible-vault encrypt --vault-pass-file pw - --output sealed2; echo "$?"
ansible-vault rekey --vault-password-file pw --new-vault-password-file pw2 sealed link; echo "$?"
ansible-vault view --vault-password-file pw2 sealed; echo "$?"
ansible-vault decrypt --vault-password-file pw a bin empty; echo "$?"
ansible-vault decrypt --vault-password-file pw sealed; echo "wrong $?"
ansible-vault decrypt --vault-password-file pw a; echo "plain $?"
