export ANSIBLE_CALLBACKS_ENABLED=junit ANSIBLE_INVENTORY=hosts JUNIT_OUTPUT_DIR=out ANSIBLE_FORKS=1 JUNIT_FAIL_ON_IGNORE=true
ansible-playbook play.yml > shown
grep -o '<testsuites [^>]*tests="[0-9]*"\|<testcase [^>]* time\|<error message="[^"]*"\|<failure message="[^"]*"' out/*.xml
