export ANSIBLE_INVENTORY=hosts
export ANSIBLE_ASYNC_DIR="$PWD/jobs"
ansible web1 -m command -a 'echo hi' -B 20 -P 1 | sed 's/"\(ansible_job_id\|delta\|end\|results_file\|start\)": ".*"/"\1": …/'
ansible web1 -m shell -a 'echo out; exit 3' -B 20 -P 1 | grep -A9 FAILED
ansible web1 -o -m command -a 'echo hi' -B 20 -P 1 | cut -d'"' -f1
