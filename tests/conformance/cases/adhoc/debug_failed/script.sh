# What stands above the result names the mistake's place, each in its own way.
for args in 'msg={{ nope }}' 'msg=x verbosity=a'; do
    ansible -i hosts web1 -m debug -a "$args" | sed -n '/^web1 /,$p'
done
ansible -i hosts web1 -m command -a 'echo {{ nope }}' | sed -n '/^web1 /,$p'
