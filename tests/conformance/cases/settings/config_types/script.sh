# Kinds of settings that there are none of.
for verb in list dump view init validate; do
    ansible-config $verb -t nope > out.txt 2>&1; echo "$verb: $? $(grep -o "'nope'" out.txt | head -1)"
done
ansible-config dump -t become > out.txt; echo "become: $?"
