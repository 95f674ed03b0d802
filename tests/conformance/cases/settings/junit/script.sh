export ANSIBLE_CALLBACKS_ENABLED=junit ANSIBLE_INVENTORY=hosts JUNIT_OUTPUT_DIR=out
report() { "$@" ansible-playbook play.yml > shown; sed 's/time[a-z]*="[^"]*"/T/g; s/0:00:00\.[0-9]*/D/g' out/*.xml | sed '/type="error">/,/<.error>/s/type="error".*/ERROR/' | sed '/ERROR$/,/<.testcase>/{/ERROR$/!{/<.testcase>/!d}}' | grep -v 'delta\|;start&\|;end&'; rm -r out; echo; }
report env
report env JUNIT_TASK_CLASS=true JUNIT_TASK_RELATIVE_PATH="$PWD/more" JUNIT_REPLACE_OUT_OF_TREE_PATH=elsewhere
report env JUNIT_FAIL_ON_CHANGE=true JUNIT_FAIL_ON_IGNORE=true JUNIT_HIDE_TASK_ARGUMENTS=true
report env JUNIT_TEST_CASE_PREFIX=TEST JUNIT_INCLUDE_SETUP_TASKS_IN_REPORT=no
