# What scripts read of `--version`.
mkdir home; export HOME="$PWD/home"
touch ansible.cfg
for program in ansible ansible-config ansible-doc ansible-inventory ansible-playbook ansible-vault; do
    $program --version > out.txt; echo "$?"
    head -1 out.txt
    grep '^  config file = ' out.txt | sed "s|$PWD|HERE|"
    grep "^  ansible collection location = " out.txt | sed "s|$PWD|HERE|"
    grep -c "^  executable location = /.*/$program\$" out.txt
done
ansible -i x --bad --version all | head -1
printf '[defaults]\nforks = many\n' > ansible.cfg; ansible --version > out.txt 2>&1; echo "$?"
