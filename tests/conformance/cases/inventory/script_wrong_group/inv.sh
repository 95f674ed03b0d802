#!/bin/sh
echo '{"_meta": {"hostvars": {}}, "ok": ["x"], "g": {"hosts": "abc"}, "z": ["y"]}'
