chmod 755 files/exec.sh; mkdir -p files/tree/empty; ln -s a.txt files/tree/link
