start() { env -u LC_ALL -u LANG "$@" ansible --version 2>&1 >/dev/null; echo "exit code $?"; }
start
start LANG=C
start LANG=C LC_CTYPE=nowhere
start LC_ALL=C.UTF-8 LANG=nowhere
start LC_ALL=nowhere LC_CTYPE=C.UTF-8
start LANG=nowhere
start LC_MESSAGES=nowhere LANG=C.UTF-8
