#!/bin/sh
echo "args: $*" >&2
cat <<X
{"g": {"hosts": ["a", "b"], "vars": {"v": 1, "t": "{{ v }}"}, "children": ["h"]}, "h": ["c", "a"], "i": {}, "bad name": {"hosts": ["d", "p:22", "r[1:2]"]}, "_meta": {"hostvars": {"a": {"x": 1, "tt": "{{ v }}", "u": {"__ansible_unsafe": "{{ y }}"}}, "nobody": {"y": 1}}}, "all": {"vars": {"allv": true}}, "ungrouped": ["e"], "foreign": {"foo": "{{ 1 }}"}, "letters": {"children": "xy"}, "keys": {"children": {"kk": 1}}}
X
