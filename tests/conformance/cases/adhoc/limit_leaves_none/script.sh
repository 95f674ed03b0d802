for words in "g --list-hosts -l h" "g -m ping -l h" "nosuch -l h -m ping" "g -m ping -l g" "localhost -l h -m ping" "nosuch -m ping"; do
  ansible -i hosts $words 2>/dev/null
  echo $?
done
