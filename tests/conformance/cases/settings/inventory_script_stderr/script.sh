printf '#!/bin/sh\necho said >&2\necho "{\\"g\\": [\\"h1\\"], \\"_meta\\": {\\"hostvars\\": {}}}"\n' > inv
chmod +x inv
ansible-inventory -i inv --graph 2>&1 | grep -c said
ANSIBLE_INVENTORY_PLUGIN_SCRIPT_STDERR=no ansible-inventory -i inv --graph 2>&1 | grep -c said
