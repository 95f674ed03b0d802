chmod +x x.ini x.yml
