#!/bin/sh
echo '{"_meta": {"hostvars": {}}, "g": ["x", 1]}'
