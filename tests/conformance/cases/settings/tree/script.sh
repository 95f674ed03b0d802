export ANSIBLE_CALLBACKS_ENABLED=tree ANSIBLE_LOAD_CALLBACK_PLUGINS=1 ANSIBLE_INVENTORY=hosts
ANSIBLE_CALLBACK_TREE_DIR=out ansible web -m debug -a msg=x > shown 2>&1
for file in out/*; do echo "$file"; cat "$file"; echo; done
