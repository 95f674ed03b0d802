for module in nosuch acme.web.nosuch vars name "block -a x" "nosuch -a 'a=b c'"; do
  eval ansible web1 -i hosts -m $module 2>/dev/null
  echo $?
done
ansible web1 -i hosts -m import_role -a name=nosuch 2>/dev/null
echo $?
ansible web1 -i hosts -m import_tasks -a nosuch.yml 2>/dev/null
echo $?
