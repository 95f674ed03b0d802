export ANSIBLE_INVENTORY=hosts ANSIBLE_CACHE_PLUGIN=jsonfile ANSIBLE_CACHE_PLUGIN_CONNECTION=cache ANSIBLE_CACHE_PLUGIN_PREFIX=mine_
ansible web1 -m set_fact -a 'a=1 cacheable=yes' > shown
ls -R cache
ANSIBLE_CACHE_PLUGIN_PREFIX=other_ ansible web1 -m debug -a 'msg={{ a | default("unknown") }}'
ansible web1 -m debug -a 'msg={{ a | default("unknown") }}'
