# `create` asks for its secret before it looks at what it is to make.
printf pw > pw
ansible-vault create --vault-password-file pw; echo "no file $?"
ansible-vault create --vault-password-file pw a b; echo "two files $?"
setsid -w ansible-vault create </dev/null; echo "no file, nobody to ask $?"
setsid -w ansible-vault create a b </dev/null; echo "two files, nobody to ask $?"
