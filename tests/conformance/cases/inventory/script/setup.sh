chmod +x dynamic.sh
