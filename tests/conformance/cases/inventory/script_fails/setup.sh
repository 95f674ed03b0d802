chmod +x inv.sh
