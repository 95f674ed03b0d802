ansible-vault encrypt_string --vault-password-file pw 'a text'; echo "$?"
ansible-vault encrypt_string --vault-password-file pw 'a text' --name var; echo "$?"
ansible-vault encrypt_string --vault-password-file pw -n one -n two first second third; echo "$?"
printf 'in' | ansible-vault encrypt_string --vault-password-file pw --stdin-name var; echo "$?"
printf 'in\n' | ansible-vault encrypt_string --vault-password-file pw --stdin-name var -n other text; echo "$?"
printf 'in' | ansible-vault encrypt_string --vault-password-file pw; echo "$?"
printf 'in' | ansible-vault encrypt_string --vault-password-file pw -; echo "$?"
ansible-vault encrypt_string --vault-id label@pw 'a text' --name var --output out.yml; echo "$?"
ansible-vault encrypt_string --vault-password-file pw ''; echo "empty $?"
: | ansible-vault encrypt_string --vault-password-file pw; echo "empty stdin $?"
ansible-vault encrypt_string --vault-password-file pw -p -; echo "asked and stdin $?"
printf '%s\n' 'multi' 'lines: ä' | ansible-vault encrypt_string --vault-password-file pw --stdin-name var >vars.yml; cat vars.yml
ansible localhost -m ansible.builtin.debug -a var=var -e @vars.yml --vault-password-file pw
