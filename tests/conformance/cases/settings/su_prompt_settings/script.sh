# What a line of su that asks for the password contains.
export ANSIBLE_INVENTORY=hosts ANSIBLE_BECOME=yes ANSIBLE_BECOME_METHOD=su ANSIBLE_BECOME_USER=other ANSIBLE_BECOME_PASS=sesame PATH="$PWD:$PATH"
run() { ansible web1 -m raw -a 'echo ran' -e ansible_local_become_success_timeout=2 2>&1 | sed -n '/^ran/p'; echo "done"; }
ANSIBLE_SU_PROMPT_L10N='Magic word' run
ANSIBLE_SU_PROMPT_L10N='Abracadabra, magic word' run
printf '[su_become_plugin]\nlocalized_prompts = Magic word\n' > own.cfg
ANSIBLE_CONFIG=own.cfg run
