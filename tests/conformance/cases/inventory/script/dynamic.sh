#!/bin/sh
cat <<'EOF'
{"web": {"hosts": ["w1", "w2"], "vars": {"g": 1}}, "db": ["d1"], "site": {"children": ["web", "db"]}, "_meta": {"hostvars": {"w1": {"h": "{{ 1 + 1 }}"}}}}
EOF
